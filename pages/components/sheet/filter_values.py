"""The fields for the value of a condition, by what its operator takes and by the column's type."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import streamlit as st

from core.access.access import Access, ColumnInfo
from core.accounts.locale import Locale
from core.base.relative_dates import NAMES, is_relative, relative_label
from core.column_types import column_type
from core.rows.query import MAX_SEARCH
from pages.components.app.format import DATE_PATTERNS
from pages.components.sheet.filter_draft import DraftCondition
from pages.components.sheet.filter_text import choices_of

FIRST, LAST = date(1900, 1, 1), date(2199, 12, 31)
WIDTH = 210
DAY = "day"
# Entries of the list of dates that ask for a number of days.
COUNTED = {"last_N_days": "last … days", "next_N_days": "next … days"}
DAYS, MAX_DAYS = 30, 9999


@dataclass(frozen=True)
class ValueFields:
    """The fields for one condition. `changed` is called in callbacks, after the draft has the new value."""

    access: Access
    column: ColumnInfo
    draft: DraftCondition
    locale: Locale
    key: str
    changed: Callable[[], None]

    def show(self, takes: str) -> None:
        """Draw the fields of one value, of two, of several, or nothing."""
        if takes == "many":
            self._many()
        elif takes != "none":
            labels = ("From", "To") if takes == "two" else ("Value",)
            for index, label in enumerate(labels):
                if column_type(self.column.type).is_date:
                    self._date(label, index, takes)
                else:
                    self._text(label, index, takes)

    def _many(self) -> None:
        names, key = choices_of(self.access, self.column), f"{self.key}_many"
        values = [str(value) for value in self.draft.value or []] if isinstance(self.draft.value, list) else []
        names = names | {value: value for value in values if value not in names}
        st.multiselect(
            "Values",
            list(names),
            default=values,
            format_func=names.__getitem__,
            key=key,
            placeholder="Choose",
            label_visibility="collapsed",
            width=WIDTH,
            on_change=lambda: self._set(list(st.session_state[key])),
        )

    def _text(self, label: str, index: int, takes: str) -> None:
        key, value = f"{self.key}_{label}", self._part(index, takes)
        st.text_input(
            label,
            value="" if value is None else str(value),
            key=key,
            max_chars=MAX_SEARCH,
            placeholder=label,
            label_visibility="collapsed",
            width=WIDTH,
            on_change=lambda: self._set_part(index, takes, st.session_state[key]),
        )

    def _date(self, label: str, index: int, takes: str) -> None:
        """Draw a list of relative dates, and beside it the day, or the number of days, that an entry asks for."""
        key, value = f"{self.key}_{label}", self._part(index, takes)
        entries = {DAY: "this day:"} | {name: relative_label(name) for name in NAMES} | COUNTED
        entry = _entry(value)
        st.selectbox(
            label,
            list(entries),
            index=list(entries).index(entry),
            format_func=entries.__getitem__,
            key=key,
            label_visibility="collapsed",
            width=WIDTH if entry in NAMES else WIDTH // 2 + 20,
            on_change=lambda: self._set_part(index, takes, _first_value(st.session_state[key])),
        )
        if entry == DAY:
            self._day(label, index, takes)
        elif entry in COUNTED:
            self._count(label, index, takes, entry)

    def _day(self, label: str, index: int, takes: str) -> None:
        key = f"{self.key}_{label}_day"
        st.date_input(
            "Day",
            value=_day_of(self._part(index, takes)),
            min_value=FIRST,
            max_value=LAST,
            key=key,
            format=DATE_PATTERNS[self.locale.date_format],
            label_visibility="collapsed",
            width=WIDTH // 2 + 20,
            on_change=lambda: self._set_part(index, takes, _iso(st.session_state[key])),
        )

    def _count(self, label: str, index: int, takes: str, entry: str) -> None:
        key = f"{self.key}_{label}_count"
        st.number_input(
            "Days",
            min_value=1,
            max_value=MAX_DAYS,
            value=int(str(self._part(index, takes)).split("_")[1]),
            key=key,
            label_visibility="collapsed",
            width=WIDTH // 2 + 20,
            on_change=lambda: self._set_part(index, takes, entry.replace("N", str(st.session_state[key]))),
        )

    def _part(self, index: int, takes: str) -> Any:
        """Return the value of one field of the condition."""
        if takes == "one":
            return None if isinstance(self.draft.value, list) else self.draft.value
        both = self.draft.value
        return both[index] if isinstance(both, list) and len(both) == 2 else None

    def _set_part(self, index: int, takes: str, value: Any) -> None:
        if takes == "one":
            self._set(value)
            return
        both = [self._part(0, takes), self._part(1, takes)]
        both[index] = value
        self._set(both)

    def _set(self, value: Any) -> None:
        self.draft.value = value
        self.changed()


def _entry(value: Any) -> str:
    """Return the entry of the list of dates for a value."""
    if not is_relative(value):
        return DAY
    return value if value in NAMES else f"{value.split('_')[0]}_N_days"


def _first_value(entry: str) -> str | None:
    """Return the value that a choice in the list of dates starts with."""
    return None if entry == DAY else entry.replace("N", str(DAYS))


def _day_of(value: Any) -> date | None:
    try:
        return min(max(date.fromisoformat(str(value)[:10]), FIRST), LAST)
    except ValueError:
        return None


def _iso(day: Any) -> str | None:
    return day.isoformat() if isinstance(day, date) else None
