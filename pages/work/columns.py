"""Columns of a sheet: add, rename, set rules and choices, reorder, retire, restore."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from core import columns
from core.access import Access, ColumnInfo, get_access
from core.actor import Actor
from core.column_types import TYPES, Option, Rule, column_type
from core.columns import NewColumn
from core.permissions import Permission
from db.engine import transaction
from pages.components import sheet_picker
from pages.components.errors import say, shown_errors
from pages.components.format import literal
from pages.components.who import current_actor

COLORS = ["gray", "blue", "green", "violet", "orange", "red", "yellow"]
KINDS = ["open", "won", "lost"]
CHOSEN = "columns_chosen"


def show() -> None:
    """The page, top to bottom: the list on the left, the chosen column on the right."""
    actor = current_actor()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Columns", width="stretch")
        chosen = sheet_picker.pick(actor)
    if chosen is None:
        return
    with transaction() as session:
        access = get_access(session, actor, chosen.sheet_id)
        retired = columns.retired_columns(session, access)
    sheet = {"sheet": str(access.sheet.sheet_id)}
    st.page_link("work/grid.py", label="Back to the grid", icon=":material/arrow_back:", query_params=sheet)
    if Permission.COLUMNS_EDIT not in access.permissions:
        st.info("Only the sheet's owner changes its columns.", icon=":material/lock:")
        return
    _take_link(access)
    listed, detail = st.columns([2, 3], gap="large")
    with listed:
        _list(actor, access, retired)
    with detail:
        column = access.by_id.get(st.session_state.get(CHOSEN, 0))
        if column is None:
            _add(actor, access)
        else:
            _change(actor, access, column)


def _take_link(access: Access) -> None:
    """The column that a link from the grid names, once."""
    linked = st.query_params.get("column")
    if linked is not None:
        del st.query_params["column"]
        st.session_state[CHOSEN] = int(linked) if linked.isdigit() and int(linked) in access.by_id else None


def _list(actor: Actor, access: Access, retired: list[ColumnInfo]) -> None:
    if st.button("Add a column", icon=":material/add:", type="primary", width="stretch"):
        st.session_state[CHOSEN] = None
        st.rerun()
    order = [column.column_id for column in access.columns]
    for place, column in enumerate(access.columns):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            icon = f":material/{column_type(column.type).icon}:"
            is_chosen = st.session_state.get(CHOSEN) == column.column_id
            if st.button(
                literal(column.name),
                icon=icon,
                key=f"pick_{column.column_id}",
                type="secondary" if is_chosen else "tertiary",
            ):
                st.session_state[CHOSEN] = column.column_id
                st.rerun()
            st.space("stretch")
            up = st.button("", icon=":material/arrow_upward:", key=f"up_{column.column_id}", help="Move up", type="tertiary", disabled=place == 0)  # fmt: skip  # noqa: E501
            if up:
                order[place - 1], order[place] = order[place], order[place - 1]
                if say(_in_transaction, columns.reorder_columns, actor, access.sheet.sheet_id, order):
                    st.rerun()
    if retired:
        with st.expander(f"Retired · {len(retired)}", icon=":material/delete:"):
            for column in retired:
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.markdown(literal(column.name), width="stretch")
                    restore = st.button("Restore", key=f"restore_{column.column_id}")
                    if restore and say(
                        _in_transaction, columns.restore_column, actor, access.sheet.sheet_id, column.column_id
                    ):
                        st.rerun()


def _add(actor: Actor, access: Access) -> None:
    st.subheader("New column")
    name = st.text_input("Name", key="new_name", max_chars=columns.MAX_NAME)
    kind = st.selectbox("Type", list(TYPES), format_func=lambda one: TYPES[one].label, key="new_type")
    rules = _rules(TYPES[kind].takes, {}, key=f"new_{kind}")
    options = _options((), key=f"new_{kind}", is_stage=False) if _has_options(kind) else []
    if st.button("Add this column", type="primary"):
        new = NewColumn(name, kind, rules, options)
        if say(_in_transaction, columns.add_column, actor, access.sheet.sheet_id, new):
            del st.session_state["new_name"]
            st.rerun()


def _change(actor: Actor, access: Access, column: ColumnInfo) -> None:
    sheet_id, kind = access.sheet.sheet_id, column_type(column.type)
    key = f"column_{column.column_id}_{access.sheet.columns_version}"
    st.subheader(literal(column.name))
    st.caption(f"{kind.label}. The type stays, so that what was typed keeps its meaning.")
    name = st.text_input("Name", value=column.name, key=f"{key}_name", max_chars=columns.MAX_NAME)
    description = st.text_input("Description", value=column.description, key=f"{key}_description")
    rules = _rules(kind.takes, column.rules, key=key)
    changes: dict[str, Any] = {"name": name, "description": description, "rules": rules}
    if _has_options(column.type):
        is_stage = access.sheet.pipeline.get("stage") == column.column_id
        changes["options"] = tuple(_options(column.options, key=key, is_stage=is_stage))
    with st.container(horizontal=True):
        if st.button("Save", type="primary"):
            command = columns.change_column
            if say(_in_transaction, command, actor, sheet_id, column.column_id, **changes):
                st.toast("Saved.", icon=":material/check:")
                st.rerun()
        retire = st.button("Retire this column", icon=":material/delete:", help="Its values stay and can be restored.")
        if retire and say(_in_transaction, columns.retire_column, actor, sheet_id, column.column_id):
            st.rerun()


def _has_options(kind: str) -> bool:
    return column_type(kind).editor in ("choice", "choices")


def _rules(takes: tuple[Rule, ...], rules: dict[str, Any], *, key: str) -> dict[str, Any]:
    """A field per rule of the type, drawn from what the rule says of itself."""
    given = {rule.key: _rule(rule, rules.get(rule.key), f"{key}_{rule.key}") for rule in takes}
    return {name: value for name, value in given.items() if value not in (None, "", False)}


def _rule(rule: Rule, now: Any, key: str) -> Any:
    if rule.kind == "checkbox":
        return st.checkbox(rule.label, value=bool(now), key=key)
    if rule.kind == "choice":
        names = ["", *rule.choices]
        return st.selectbox(
            rule.label, names, index=names.index(now) if now in names else 0, format_func=lambda one: one or "–",
            key=key, help=rule.help or None,
        )  # fmt: skip
    if rule.kind == "whole":
        return st.number_input(
            rule.label, min_value=0, max_value=rule.most, value=now, step=1, key=key, help=rule.help or None
        )
    return st.text_input(rule.label, value=str(now or ""), key=key, help=rule.help or None)


def _options(options: tuple[Option, ...], *, key: str, is_stage: bool) -> list[Option]:
    """The choices in a small table: one line each, in their order; a stage has a probability and a kind too."""
    st.markdown("**Choices**")
    st.caption("One line each. A choice that is in use and taken out stays visible where it was chosen.")
    rows = [
        {
            "Label": o.label,
            "Color": o.color,
            "Probability": o.probability,
            "Kind": o.kind,
            "Retired": o.retired,
            "id": o.id,
        }
        for o in options
    ]
    table = pd.DataFrame(rows, columns=["Label", "Color", "Probability", "Kind", "Retired", "id"])
    shown = ["Label", "Color", "Probability", "Kind", "Retired"] if is_stage else ["Label", "Color", "Retired"]
    edited = st.data_editor(
        table,
        num_rows="dynamic",
        hide_index=True,
        key=f"{key}_options",
        column_order=shown,
        column_config={
            "Label": st.column_config.TextColumn(required=True, max_chars=200),
            "Color": st.column_config.SelectboxColumn(options=_colors(options)),
            "Probability": st.column_config.NumberColumn("Probability, %", min_value=0, max_value=100, step=1),
            "Kind": st.column_config.SelectboxColumn(options=KINDS),
            "Retired": st.column_config.CheckboxColumn(default=False),
        },
    )
    known = {option.id: option for option in options}
    return [_option(line, known) for line in edited.to_dict("records") if _text(line["Label"])]


def _colors(options: tuple[Option, ...]) -> list[str]:
    return [*COLORS, *dict.fromkeys(option.color for option in options if option.color not in COLORS)]


def _option(line: dict[Any, Any], known: dict[str, Option]) -> Option:
    """An edited line as an option; one without an id is new and gets its id in core."""
    before = known.get(_text(line["id"]), Option(id="", label=""))
    probability = line["Probability"]
    return replace(
        before,
        label=_text(line["Label"]),
        color=_text(line["Color"]),
        retired=line["Retired"] is True or str(line["Retired"]) == "True",
        probability=None if pd.isna(probability) else int(probability),
        kind=_text(line["Kind"]) or None,
    )


def _text(value: Any) -> str:
    return "" if value is None or value is pd.NA or value != value else str(value).strip()  # noqa: PLR0124 - NaN.


def _in_transaction(command: Callable[..., Any], actor: Actor, *args: Any, **kwargs: Any) -> None:
    with transaction() as session:
        command(session, actor, *args, **kwargs)


with shown_errors():
    show()
