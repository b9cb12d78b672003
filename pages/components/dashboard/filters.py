"""The filters over a pipeline's figures: when, whose, and any choice.

They stay while one opens a bar's rows and comes back, and stand in the address, for bookmarks and links.
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
from core.rows.query import Condition, View
from pages.components.app.format import literal

ALL, CUSTOM = "All time", "From … to …"


@dataclass(frozen=True)
class Filtered:
    """The deals that were asked for, and whether a period is among what was asked."""

    view: View
    by_period: bool


def show(pipeline: Pipeline, owners: Mapping[str, str], *, today: date) -> Filtered:
    """Draw the filters: period, owner and any choice column. `owners`: whom one may choose.

    `today`: the day by which “this month” is reckoned.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        period = _period(pipeline, today)
        conditions = [*period, *_owner(pipeline, owners)]
        chosen: list[str] = []
        choices = [one for one in pipeline.access.columns if _is_choice(one) and one is not pipeline.owner]
        if choices:
            with st.popover("More filters", icon=":material/filter_list:", key="dashboard_more"):
                for column in choices:
                    names = {option.id: option.label for option in column.options}
                    picked = _several(pipeline, column.name, names, f"column{column.column_id}")
                    conditions += [Condition(column.column_id, "is_any_of", picked)] if picked else []
                    chosen += [f"{column.name}: {', '.join(names[one] for one in picked)}"] if picked else []
    if chosen:
        st.caption(f"Only {literal('; '.join(chosen))}.")
    return Filtered(View(filter=tuple(conditions)), bool(period))


def _is_choice(column: ColumnInfo) -> bool:
    kind = column_type(column.type)
    return kind.has_options and kind.groups_by_id


def _owner(pipeline: Pipeline, names: Mapping[str, str]) -> list[Condition]:
    """Whose deals: several people or options; of a column of text one name."""
    if pipeline.owner is None:
        return []
    most = None if column_type(pipeline.owner.type).groups_by_id else 1
    return is_owned_by(pipeline.owner, _several(pipeline, pipeline.owner.name, names, "owner", most=most))


def _several(
    pipeline: Pipeline, label: str, names: Mapping[str, str], name: str, *, most: int | None = None
) -> list[str]:
    """Some of the names."""
    key = _key(pipeline, name)
    before = st.session_state.get(key, _address(name))
    st.session_state[key] = [one for one in before if one in names][:most]
    picked = st.multiselect(
        literal(label),
        list(names),
        format_func=names.__getitem__,
        key=key,
        placeholder="All",
        max_selections=most,
        width=280,
        persist_state="session",
    )
    _tell(name, picked)
    return picked


def _period(pipeline: Pipeline, today: date) -> list[Condition]:
    """Deals whose close date lies in the period: the expected one of open deals, the real one of the others."""
    if pipeline.close_date is None:
        return []
    column, names, key = pipeline.close_date, [ALL, *periods.NAMED_PERIODS, CUSTOM], _key(pipeline, "period")
    if key not in st.session_state:
        st.session_state[key] = next((one for one in names if [one] == _address("period")), ALL)
    meaning = "for an open deal the day on which it is expected to close, for others the day on which it did"
    explained = f"Only deals whose “{literal(column.name)}” lies in this period: {meaning}."
    name = st.selectbox("Period", names, key=key, width=170, help=explained, persist_state="session")
    _tell("period", [] if name == ALL else [name])
    days = _days(pipeline) if name == CUSTOM else () if name == ALL else periods.named_period(name, today)
    return [Condition(column.column_id, "between", [day.isoformat() for day in days])] if len(days) == 2 else []


def _days(pipeline: Pipeline) -> tuple[date, ...]:
    """The first and the last day that were picked; fewer while somebody is picking."""
    key = _key(pipeline, "days")
    if key not in st.session_state:
        st.session_state[key] = _dates(_address("days"))
    picked = st.date_input("From and to", key=key, width=240, persist_state="session")
    days: tuple[date, ...] = picked if isinstance(picked, tuple) else ()
    _tell("days", [day.isoformat() for day in days])
    return days


def _dates(texts: list[str]) -> tuple[date, ...]:
    try:
        days = tuple(sorted(date.fromisoformat(text) for text in texts))
    except ValueError:
        return ()
    return days if len(days) == 2 else ()


def _key(pipeline: Pipeline, name: str) -> str:
    return f"dashboard_{pipeline.access.sheet.sheet_id}_{name}"


def _address(name: str) -> list[str]:
    """What the address says about a filter."""
    return [one for one in st.query_params.get(name, "").split(",") if one]


def _tell(name: str, values: list[str]) -> None:
    """Have the address say what is chosen."""
    if values and _address(name) != values:
        st.query_params[name] = ",".join(values)
    elif not values and name in st.query_params:
        del st.query_params[name]
