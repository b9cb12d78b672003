"""The fields of a column: its rules, drawn from what the type says it takes, and its choices in a small table."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st

from core.access.access import HIDDEN, READ_ONLY, ColumnInfo
from core.base.permissions import Audience
from core.column_types import column_type
from core.column_types.base import NO_REFERENCES, Option, References
from core.column_types.currencies import CURRENCIES
from core.column_types.rules import Rule
from core.sheets import columns
from core.sheets.defaults import relative_defaults
from core.sheets.sheets import ListedSheet
from pages.components.app.format import literal

# The names follow the theme; the others are those that imports give to labels.
COLORS = {
    "gray": "Gray",
    "blue": "Blue",
    "green": "Green",
    "violet": "Violet",
    "orange": "Orange",
    "red": "Red",
    "yellow": "Yellow",
    "#a8c7fa": "Sky",
    "#c4eed0": "Mint",
    "#fde293": "Sand",
    "#f6aea9": "Coral",
    "#d7aefb": "Lilac",
    "#a1e4f2": "Aqua",
    "#fdcfe8": "Rose",
    "#e6c9a8": "Clay",
    "#d3e3a1": "Lime",
    "#c7c7cc": "Silver",
}
NAMED = 7
KINDS = {"open": "Open", "won": "Won", "lost": "Lost"}
FIELDS = ("Label", "Colour", "Probability", "Kind", "Place", "Retired", "id")
# What relative defaults are called.
RELATIVE = {"today": "Today", "me": "Who adds the row"}
STAGE_FIELDS = ("Probability", "Kind")


def has_options(kind: str) -> bool:
    """Whether columns of this type have choices."""
    return column_type(kind).has_options


def rules(kind: str, now: dict[str, Any], *, key: str) -> dict[str, Any]:
    """A field for each rule of the type; the rules as they are put in, those that are not set left out."""
    kept = {rule.key for rule in column_type(kind).takes if rule.kind in {"id", "filter"}}
    kept |= set(column_type(kind).fixed_rules)
    takes = [rule for rule in column_type(kind).takes if rule.key not in kept]
    fixed = {key: now.get(key) for key in kept}
    ticked = [rule for rule in takes if rule.kind == "flag"]
    with st.container(horizontal=True, gap="medium"):
        values: dict[str, Any] = {rule.key: _rule(rule, now.get(rule.key), f"{key}_{rule.key}") for rule in ticked}
    with st.grid(min_column_width=200):
        values |= {
            rule.key: _rule(rule, now.get(rule.key), f"{key}_{rule.key}") for rule in takes if rule not in ticked
        }
    values |= fixed
    return {name: value for name, value in values.items() if value is not None and value is not False and value != ""}


def related_sheet(listed: Sequence[ListedSheet], *, key: str) -> dict[str, Any]:
    """The sheet that a new relation points to, as its rule; without a choice the command says what is missing."""
    names = {sheet.sheet_id: sheet.name for sheet in listed}
    sheet_id = st.selectbox(
        "Related sheet",
        list(names),
        index=None,
        format_func=names.__getitem__,
        key=f"{key}_sheet",
        placeholder="Choose a sheet",
        help="Its rows can be chosen in the cells. Where you may add columns to it, it gets one that shows them back.",
    )
    return {"sheet": sheet_id} if sheet_id else {}


def _rule(rule: Rule, now: Any, key: str) -> Any:
    help_ = rule.help or None
    if rule.kind == "flag":
        return st.checkbox(rule.label, value=bool(now), key=key, help=help_)
    if rule.kind == "whole":
        return st.number_input(
            rule.label, min_value=0, max_value=rule.most, value=now, step=1, key=key, help=help_, placeholder="Any"
        )
    if listed := _listed(rule):
        return st.selectbox(
            rule.label,
            listed,
            index=listed.index(now) if now in listed else None,
            key=key,
            help=help_,
            placeholder="Not set",
        )
    if rule.kind == "date":
        picked = st.date_input(
            rule.label, value=now, min_value=date(1900, 1, 1), max_value=date(2199, 12, 31), key=key, help=help_
        )
        return picked.isoformat() if isinstance(picked, date) else None
    return st.text_input(rule.label, value="" if now is None else str(now), key=key, help=help_)


def _listed(rule: Rule) -> list[str]:
    """What can be chosen for a rule that is one of several."""
    many = {"currency": sorted(CURRENCIES), "time_zone": sorted(available_timezones())}
    return many.get(rule.kind, list(rule.choices))


def options(now: Sequence[Option], *, key: str, is_stage: bool) -> list[Option]:
    """The choices as they were edited: one line each, in their order; a stage has a probability and a kind too."""
    st.markdown("**Choices**")
    help_text = "Add a line for a new choice. One that you delete stays visible in the rows that have it."
    st.caption(help_text + (" A stage's probability weighs its open deals." if is_stage else ""))
    table = st.data_editor(
        _table(now),
        num_rows="dynamic",
        hide_index=True,
        key=f"{key}_options",
        column_order=[name for name in FIELDS[:-1] if is_stage or name not in STAGE_FIELDS],
        column_config=_fields(now),
    )
    old_options = {option.id: option for option in now}
    lines = [line for line in table.to_dict("records") if _text(line["Label"])]
    positions = {index: _place(line, index, old_options) for index, line in enumerate(lines)}
    return [_option(lines[index], index, old_options) for index in sorted(positions, key=positions.__getitem__)]


def _table(now: Sequence[Option]) -> pd.DataFrame:
    rows = [
        (option.label, option.color, option.probability, option.kind, position, option.retired, option.id)
        for position, option in enumerate(now, start=1)
    ]
    types = {"Label": "string", "Colour": "string", "Probability": "Int64", "Kind": "string", "Place": "Int64"}
    return pd.DataFrame(rows, columns=list(FIELDS)).astype(types | {"Retired": "bool", "id": "string"})


def _fields(now: Sequence[Option]) -> dict[str, Any]:
    colors = list(dict.fromkeys([*COLORS, *(option.color for option in now)]))
    return {
        "Label": st.column_config.TextColumn(required=True, max_chars=200, width="medium"),
        "Colour": st.column_config.SelectboxColumn(
            options=colors, format_func=lambda color: COLORS.get(str(color), str(color)), width="small"
        ),
        "Probability": st.column_config.NumberColumn(
            "Probability %", min_value=0, max_value=100, step=1, width="small"
        ),
        "Kind": st.column_config.SelectboxColumn(
            options=list(KINDS), format_func=lambda kind: KINDS.get(str(kind), str(kind)), width="small"
        ),
        "Place": st.column_config.NumberColumn(min_value=1, step=1, width="small", help="Change it to move a choice."),
        "Retired": st.column_config.CheckboxColumn(
            default=False, width="small", help="Kept where it is used, no longer offered."
        ),
    }


def _place(line: dict[Any, Any], index: int, old_options: dict[str, Option]) -> float:
    """Where a line goes: one that was moved up goes before what stands there, one that was moved down behind it."""
    position = line["Place"]
    if pd.isna(position):
        return index + 1 if _text(line["id"]) in old_options else float("inf")
    before = [*old_options].index(_text(line["id"])) + 1 if _text(line["id"]) in old_options else 0
    return float(position) + (0 if position == before else 0.5 if before and position > before else -0.5)


def _option(line: dict[Any, Any], index: int, old_options: dict[str, Option]) -> Option:
    """An edited line as an option; one without an id is new and gets its id in core."""
    before = old_options.get(_text(line["id"]), Option(id="", label=""))
    return replace(
        before,
        label=_text(line["Label"]),
        color=_text(line["Colour"]) or list(COLORS)[index % NAMED],
        retired=bool(line["Retired"]) if not pd.isna(line["Retired"]) else False,
        probability=None if pd.isna(line["Probability"]) else int(line["Probability"]),
        kind=_text(line["Kind"]) or None,
    )


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value).strip()


def limits(now: Mapping[str, str], *, key: str) -> dict[str, str | None]:
    """Who may see the column and who may change it, per audience; None where one is not limited."""
    st.markdown("**Who sees it**")
    st.caption(
        "The sheet's owner sees and changes every column. What is hidden is hidden everywhere, exports included."
    )
    with st.grid(min_column_width=200):
        chosen_limits: dict[str, str | None] = {
            audience: _limit(audience, now.get(audience), f"{key}_{audience}") for audience in columns.LIMITED
        }
    if HIDDEN in chosen_limits.values() and chosen_limits[Audience.LINK] != HIDDEN:
        levels = [
            level for level in columns.LIMITED if level is not Audience.OWN_ROWS and chosen_limits[level] != HIDDEN
        ]
        seeing = ", ".join(level.label.lower() for level in levels)
        st.warning(f"Still seen by: {seeing}.", icon=":material/visibility:")
        if st.checkbox("Hide it from public links, too", key=f"{key}_links_too"):
            chosen_limits[Audience.LINK] = HIDDEN
    return chosen_limits


def _limit(audience: Audience, now: str | None, key: str) -> str | None:
    ways = [None, *columns.LIMITED[audience]]
    free = "See and change it" if READ_ONLY in ways else "See it"
    names = {None: free, READ_ONLY: "See it only", HIDDEN: "Hidden"}
    return st.selectbox(audience.label, ways, index=ways.index(now), format_func=names.__getitem__, key=key)


def default(column: ColumnInfo, references: References, *, key: str) -> dict[str, Any] | None:
    """Draw the default of a column and return it as it is put in; None where it has none."""
    kind = column_type(column.type)
    if kind.is_computed or kind.names_rows or column.rules.get("unique"):
        return None
    now = column.default_value or {}
    relative = [*relative_defaults(column.type)]
    ways = ["", *relative, "value"]
    start = "value" if "value" in now else now.get("relative", "")
    names = {"": "None", "value": "A value", **{name: RELATIVE[name] for name in relative}}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        way = st.selectbox(
            "Default of new rows",
            ways,
            index=ways.index(start),
            format_func=names.__getitem__,
            key=f"{key}_default",
        )
        if way != "value":
            return {"relative": way} if way else None
        text = default_text(column, references) if start == "value" else ""
        if kind.groups_by_id and kind.has_options:
            labels = [option.label for option in column.options if not option.retired]
            index = labels.index(text) if text in labels else None
            text = st.selectbox("Value", labels, index=index, key=f"{key}_default_value") or ""
        else:
            text = st.text_input("Value", value=text, key=f"{key}_default_value")
    return now if start == "value" and text == default_text(column, references) else {"text": text} if text else None


def default_text(column: ColumnInfo, references: References = NO_REFERENCES) -> str:
    """Return the default of a column as text."""
    stored = column.default_value or {}
    if "value" not in stored:
        return RELATIVE.get(str(stored.get("relative")), "").lower()
    kind = column_type(column.type)
    value = Decimal(stored["value"]) if kind.is_number else stored["value"]
    return kind.text(value, column, references)


def summary(kind: str, now: dict[str, Any]) -> str:
    """The rules of a column in a line."""
    texts = [
        rule.label if rule.kind == "flag" else f"{rule.label} {literal(str(now[rule.key]))}"
        for rule in column_type(kind).takes
        if rule.key in now and rule.kind not in {"id", "filter"}
    ]
    return " · ".join(texts)
