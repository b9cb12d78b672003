"""The filters over a pipeline's figures: a period, owners, and any choice column.

They survive a visit to a bar's rows, and are part of the address for bookmarks and links.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import streamlit as st

from core.access.access import ColumnInfo
from core.base import periods
from core.column_types import column_type
from core.pipeline.breakdowns import is_owned_by
from core.pipeline.pipeline import Pipeline
from core.rows.filter_tree import Condition
from core.rows.query import View
from pages.components.app.format import literal

ALL, CUSTOM = "All time", "From … to …"


@dataclass(frozen=True)
class Filtered:
    """The view of the filtered deals, and whether they are filtered by period."""

    view: View
    by_period: bool


def show(pipeline: Pipeline, owners: Mapping[str, str], *, today: date, year_starts: int = 1) -> Filtered:
    """Draw the filters and return their result. `owners`: the owners to select from, by ID.

    `today`: the current day in the user's time zone, for periods such as “This month”.
    `year_starts`: the first month of a fiscal year.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        period = _period(pipeline, today, year_starts)
        conditions = [*period, *_owner(pipeline, owners)]
        notes: list[str] = []
        choices = [column for column in pipeline.access.columns if _is_choice(column) and column is not pipeline.owner]
        if choices:
            with st.popover("More filters", icon=":material/filter_list:", key="dashboard_more"):
                for column in choices:
                    names = {option.id: option.label for option in column.options}
                    option_ids = _multiselect(pipeline, column.name, names, f"column{column.column_id}")
                    if option_ids:
                        conditions.append(Condition(column.column_id, "is_any_of", option_ids))
                        notes.append(f"{column.name}: {', '.join(names[option_id] for option_id in option_ids)}")
    if notes:
        st.caption(f"Filtered by {literal('; '.join(notes))}.")
    return Filtered(View(filter=tuple(conditions)), bool(period))


def _is_choice(column: ColumnInfo) -> bool:
    kind = column_type(column.type)
    return kind.has_options and kind.groups_by_id


def _owner(pipeline: Pipeline, names: Mapping[str, str]) -> list[Condition]:
    """Draw the owner filter, with several users or options, or with one name of a text column."""
    if pipeline.owner is None:
        return []
    max_selections = None if column_type(pipeline.owner.type).groups_by_id else 1
    values = _multiselect(pipeline, pipeline.owner.name, names, "owner", max_selections=max_selections)
    return is_owned_by(pipeline.owner, values)


def _multiselect(
    pipeline: Pipeline, label: str, names: Mapping[str, str], name: str, *, max_selections: int | None = None
) -> list[str]:
    """Draw a filter with several values and return those selected. `names`: the label of each possible value."""
    key = _key(pipeline, name)
    previous = st.session_state.get(key, _query_values(name))
    st.session_state[key] = [value for value in previous if value in names][:max_selections]
    values = st.multiselect(
        literal(label),
        list(names),
        format_func=names.__getitem__,
        key=key,
        placeholder="All",
        max_selections=max_selections,
        width=280,
        persist_state="session",
    )
    _set_query(name, values)
    return values


def _period(pipeline: Pipeline, today: date, year_starts: int) -> list[Condition]:
    """Draw the period filter and return its condition on the close date: expected of open deals, else actual."""
    if pipeline.close_date is None:
        return []
    column, names, key = pipeline.close_date, [ALL, *periods.NAMED_PERIODS, CUSTOM], _key(pipeline, "period")
    if key not in st.session_state:
        st.session_state[key] = next((name for name in names if [name] == _query_values("period")), ALL)
    meaning = "the expected close date of open deals, the actual close date of the others"
    explanation = f"Shows deals whose “{literal(column.name)}” is in this period: {meaning}."
    name = st.selectbox("Period", names, key=key, width=170, help=explanation, persist_state="session")
    _set_query("period", [] if name == ALL else [name])
    if name == ALL:
        return []
    days = _days(pipeline) if name == CUSTOM else periods.named_period(name, today, year_starts=year_starts)
    return [Condition(column.column_id, "between", [day.isoformat() for day in days])] if len(days) == 2 else []


def _days(pipeline: Pipeline) -> tuple[date, ...]:
    """Draw the date range and return its first and last day; fewer while the selection is incomplete."""
    key = _key(pipeline, "days")
    if key not in st.session_state:
        st.session_state[key] = _dates(_query_values("days"))
    selection = st.date_input("From and to", key=key, width=240, persist_state="session")
    days: tuple[date, ...] = selection if isinstance(selection, tuple) else ()
    _set_query("days", [day.isoformat() for day in days])
    return days


def _dates(texts: list[str]) -> tuple[date, ...]:
    try:
        days = tuple(sorted(date.fromisoformat(text) for text in texts))
    except ValueError:
        return ()
    return days if len(days) == 2 else ()


def _key(pipeline: Pipeline, name: str) -> str:
    return f"dashboard_{pipeline.access.sheet.sheet_id}_{name}"


def _query_values(name: str) -> list[str]:
    """Return the values of a filter in the address."""
    return [value for value in st.query_params.get(name, "").split(",") if value]


def _set_query(name: str, values: list[str]) -> None:
    """Write the values of a filter to the address."""
    if values and _query_values(name) != values:
        st.query_params[name] = ",".join(values)
    elif not values and name in st.query_params:
        del st.query_params[name]
