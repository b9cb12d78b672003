"""The sheet as it was: the way there, the banner over it, the comparison with another moment, and the way back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.access.access import Access
from core.access.load import get_access
from core.accounts.locale import Locale, get_locale
from core.base.actor import Actor
from core.history.diff import MAX_PAGE, Difference, DifferenceEntry, difference
from core.rows.as_of import as_of, version_at
from core.rows.query import View
from core.sheets.serialize import sheet_json
from db.engine import transaction
from pages.components import grid
from pages.components.app.errors import error_boundary
from pages.components.app.format import grid_formats
from pages.components.as_of import diff_list
from pages.components.as_of.instants import NOW, choose, spoken

AS_OF, VERSUS, SIDE = "as_of", "versus", "side"
CHOSEN = "as_of_chosen"  # The dialog closes with the run of the page that shows what was chosen.
KINDS = (("edited", "orange", "changed cell"), ("added", "green", "added row"), ("deleted", "red", "deleted row"))


@st.dialog("The sheet as of…")
def ask(locale: Locale) -> None:
    """The way into the past; what is chosen there stands in the address."""
    if st.session_state.pop(CHOSEN, False):
        st.rerun()
    choose("past", locale, _go)


def asked() -> str | None:
    """The instant that the address asks for; None for now."""
    return st.query_params.get(AS_OF) or None


def shown_instant() -> str | None:
    """The instant of the rows on the screen, which is the other one while its side is shown; None for now."""
    other = st.query_params.get(VERSUS)
    if asked() and other and st.query_params.get(SIDE):
        return None if other == NOW else other
    return asked()


def _go(instant: str) -> None:
    st.query_params[AS_OF] = instant
    st.session_state[CHOSEN] = True


def _back() -> None:
    for parameter in (AS_OF, VERSUS, SIDE):
        st.query_params.pop(parameter, None)


@dataclass(frozen=True)
class _Comparison:
    """The sheet at the instant asked for and, where they are compared, at the other one."""

    now: Access
    then: str
    version: int
    other: str | None
    other_version: int
    diff: Difference | None
    locale: Locale

    @property
    def side(self) -> int:
        """The version on the screen: that of the instant asked for, or of the one that it is compared with."""
        return self.other_version if self.other and st.query_params.get(SIDE) else self.version


def show(actor: Actor, sheet_id: int, view: View, layout: Mapping[str, Any], on_sort: Callable[[Any], None]) -> None:
    """The banner, the comparison and the grid in this layout; nothing in it can be changed."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        banner = st.container(width="content")
        st.button("Back to now", icon=":material/undo:", type="primary", on_click=_back)
        tools = st.container(horizontal=True, vertical_alignment="center", gap="small", width="content")
    with error_boundary():
        comparison = _read(actor, sheet_id)
        banner.markdown(f":orange-background[:material/history: {_banner(comparison)}]")
        with tools:
            _compare(comparison)
        if comparison.diff:
            _legend(comparison, comparison.diff)
        _grid(actor, comparison, view, layout, on_sort)


def _read(actor: Actor, sheet_id: int) -> _Comparison:
    then, other = str(asked()), st.query_params.get(VERSUS) or None
    with transaction() as session:
        now = get_access(session, actor, sheet_id)
        version = version_at(session, now, then)
        other_version = now.sheet.version if other in (None, NOW) else version_at(session, now, str(other))
        first, last = (f"version:{number}" for number in sorted((version, other_version)))
        diff = difference(session, actor, sheet_id, first, last, limit=MAX_PAGE) if other else None
        locale = get_locale(session, actor)
    return _Comparison(now, then, version, other, other_version, diff, locale)


def _banner(comparison: _Comparison) -> str:
    """Which sheet is on the screen: that of the moment asked for, or the other side of the comparison."""
    moment = shown_instant()
    if moment is None:
        return f"The sheet as it is now, compared with **{spoken(comparison.then, comparison.locale)}** · read only"
    when = spoken(moment, comparison.locale)
    return f"The sheet as it was {'at' if when.startswith('version') else 'on'} **{when}** · read only"


def _compare(comparison: _Comparison) -> None:
    label = f"Compared with {spoken(comparison.other, comparison.locale)}" if comparison.other else "Compare with…"
    with st.popover(label, icon=":material/difference:", key=f"compare_{comparison.other}"):
        st.button("Now", key="versus_now", on_click=_versus, args=(NOW,), width="stretch")
        choose("versus", comparison.locale, _versus)
        if comparison.other:
            st.button("Do not compare", type="tertiary", on_click=_alone, width="stretch")


def _versus(instant: str) -> None:
    st.query_params[VERSUS] = instant


def _alone() -> None:
    for parameter in (VERSUS, SIDE):
        st.query_params.pop(parameter, None)


def _legend(comparison: _Comparison, diff: Difference) -> None:
    """What the tints mean and how many of each there are, which side is shown, and the way to the list."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for kind, color, name in KINDS:
            count = getattr(diff, kind)
            st.badge(f"{count:,} {name}{'' if count == 1 else 's'}", color=color)  # type: ignore[arg-type]
        sides = {
            "": spoken(comparison.then, comparison.locale),
            "other": "Now" if comparison.other == NOW else spoken(str(comparison.other), comparison.locale),
        }
        st.session_state["past_side"] = "other" if st.query_params.get(SIDE) else ""
        st.segmented_control(
            "Show the sheet of",
            list(sides),
            format_func=sides.__getitem__,
            key="past_side",
            on_change=_turn,
            required=True,
            label_visibility="collapsed",
        )
        if diff.entries and st.button("List the differences", icon=":material/list:", type="tertiary"):
            diff_list.show(comparison.now, diff, comparison.locale)
    if diff.next:
        st.caption(f"The first {MAX_PAGE:,} differences are tinted and listed; the counts are of all.")


def _turn() -> None:
    if st.session_state["past_side"]:
        st.query_params[SIDE] = "other"
    else:
        st.query_params.pop(SIDE, None)


def _grid(
    actor: Actor, comparison: _Comparison, view: View, layout: Mapping[str, Any], on_sort: Callable[[Any], None]
) -> None:
    version, key = comparison.side, f"past_{comparison.now.sheet.sheet_id}"
    grid.show(
        sheet_json(as_of(comparison.now, version), {str(actor.user_id): actor.name}),
        key=key,
        me={"id": actor.user_id, "name": actor.name},
        view=view.as_json(),
        layout=layout,
        formats=grid_formats(comparison.locale),
        as_of=f"version:{version}",
        tints=_tints(comparison.diff.entries if comparison.diff else []),
        on_view=lambda: on_sort(st.session_state[key]["view"]),
    )


def _tints(differences: list[DifferenceEntry]) -> dict[str, str | list[int]]:
    """By row: what became of it, or the columns whose cells differ."""
    tints: dict[str, str | list[int]] = {}
    for entry in differences:
        if entry.column is None:
            tints[str(entry.row)] = entry.kind
        else:
            cells = tints.setdefault(str(entry.row), [])
            if isinstance(cells, list):
                cells.append(entry.column)
    return tints
