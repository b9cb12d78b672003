"""The filters over a pipeline's figures: when, whose, and any choice; kept in the address, for bookmarks and links."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import streamlit as st

from core import periods
from core.parties import BY_ID, is_owned_by
from core.pipeline import Pipeline
from core.query import Condition, View
from pages.components.format import literal

ALL, CUSTOM = "All time", "From … to …"


@dataclass(frozen=True)
class Filtered:
    """The deals that were asked for, and whether a period is among what was asked."""

    view: View
    by_period: bool


def show(pipeline: Pipeline, owners: dict[str, str]) -> Filtered:
    """Draw the filters: period, owner and any choice column. `owners`: whom one may choose."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        period = _period(pipeline)
        conditions = [*period, *_owner(pipeline, owners)]
        chosen: list[str] = []
        choices = [one for one in pipeline.access.columns if one.type == "choice" and one is not pipeline.owner]
        if choices:
            with st.popover("More filters", icon=":material/filter_list:", key="dashboard_more"):
                for column in choices:
                    names = {option.id: option.label for option in column.options}
                    picked = _several(column.name, names, f"column_{column.column_id}")
                    conditions += [Condition(column.column_id, "is_any_of", picked)] if picked else []
                    chosen += [f"{column.name}: {', '.join(names[one] for one in picked)}"] if picked else []
    if chosen:
        st.caption(f"Only {literal('; '.join(chosen))}.")
    return Filtered(View(filter=tuple(conditions)), bool(period))


def _owner(pipeline: Pipeline, names: dict[str, str]) -> list[Condition]:
    """Whose deals: several people or options; of a column of text one name."""
    if pipeline.owner is None:
        return []
    if pipeline.owner.type in BY_ID:
        return is_owned_by(pipeline.owner, _several(pipeline.owner.name, names, "owner"))
    label, key = literal(pipeline.owner.name), "owner_name"
    picked = st.selectbox(
        label, list(names), index=None, format_func=names.__getitem__, key=key, placeholder="All", width=280
    )
    return is_owned_by(pipeline.owner, [picked] if picked else [])


def _several(label: str, names: dict[str, str], key: str) -> list[str]:
    """Some of the names, kept in the address, so that a link or a bookmark has them."""
    st.session_state[key] = [one for one in st.session_state.get(key, []) if one in names]
    return st.multiselect(
        literal(label),
        list(names),
        format_func=names.__getitem__,
        key=key,
        placeholder="All",
        width=280,
        bind="query-params",
    )


def _period(pipeline: Pipeline) -> list[Condition]:
    """Deals whose close date lies in the period: the expected one of open deals, the real one of the others."""
    if pipeline.close_date is None:
        return []
    column = pipeline.close_date
    meaning = "for an open deal the day on which it is expected to close, for others the day on which it did"
    explained = f"Only deals whose “{literal(column.name)}” lies in this period: {meaning}."
    names = [ALL, *periods.NAMED, CUSTOM]
    name = st.selectbox("Period", names, key="period", width=170, help=explained, bind="query-params")
    if name == CUSTOM:
        picked = st.date_input("From and to", value=[], key="dates", width=240)
        span: Sequence[date] = picked if isinstance(picked, tuple | list) else ()
    else:
        span = () if name == ALL else periods.span(name, today())
    return [Condition(column.column_id, "between", [day.isoformat() for day in span])] if len(span) == 2 else []


def today() -> date:
    """The present day, by which periods and ages are reckoned: in UTC, the same for everybody."""
    return datetime.now(UTC).date()
