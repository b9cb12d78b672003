"""Columns of a sheet: add, rename, set rules and choices, reorder, retire, restore."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.accounts.locale import Locale, get_locale
from core.base.actor import Actor
from core.base.permissions import Permission
from core.column_types import COMPUTED_TYPES, TYPES, column_type
from core.sheets import columns
from core.sheets.columns import NewColumn
from db.engine import transaction
from pages.components.app.column_limits import limited
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary, run_command
from pages.components.app.format import literal
from pages.components.sheet import column_form, sheet_picker

# Which column is open: its id, NEW for one that is being added, None for none.
OPEN = "columns_open"
NEW = 0
ROUND = "columns_round"
MESSAGE = "columns_message"  # Shown by the next run: a rerun drops toasts of this one.
CHOICES_SHOWN = 8


def show() -> None:
    """The page, top to bottom: one line a column; the one that was clicked opens where it stands."""
    actor = current_actor()
    if message := st.session_state.pop(MESSAGE, None):
        st.toast(literal(message), icon=":material/check:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Columns", width="stretch")
        sheet_choice = sheet_picker.pick(actor)
    if sheet_choice is None:
        return
    with transaction() as session:
        access = get_access(session, actor, sheet_choice.sheet_id)
        retired = columns.retired_columns(session, access)
        locale = get_locale(session, actor)
    may_edit = Permission.COLUMNS_EDIT in access.permissions
    with st.container(horizontal=True, vertical_alignment="center"):
        sheet = {"sheet": str(access.sheet.sheet_id)}
        st.page_link("work/grid.py", label="Back to the grid", icon=":material/arrow_back:", query_params=sheet)
        st.space("stretch")
        if may_edit:
            st.button("Add a column", icon=":material/add:", type="primary", on_click=_open, args=(NEW,))
    if not may_edit:
        st.caption("Only the owner of this sheet changes its columns.")
    else:
        st.caption("“Change” opens a column: its name, rules and choices, and who sees it.")
    _take_link(access)
    if may_edit and st.session_state.get(OPEN) == NEW:
        _add(actor, access, locale)
    with st.container(gap="xsmall"):
        for index, column in enumerate(access.columns):
            _column(actor, access, column, index, may_edit=may_edit)
    if retired:
        _retired(actor, access, retired, may_edit=may_edit)


def _take_link(access: Access) -> None:
    """The column that a link from the grid names, once."""
    linked = st.query_params.get("column")
    if linked is not None:
        del st.query_params["column"]
        st.session_state[OPEN] = int(linked) if linked.isdecimal() and int(linked) in access.by_id else NEW


def _open(column_id: int | None) -> None:
    """Open one column, or close it; what was put in and not saved is gone."""
    st.session_state[OPEN] = column_id
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1


def _column(actor: Actor, access: Access, column: ColumnInfo, index: int, *, may_edit: bool) -> None:
    is_open = may_edit and st.session_state.get(OPEN) == column.column_id
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                _name(access, column, is_open=is_open, may_edit=may_edit)
                if not is_open:
                    _about(column)
            if may_edit:
                with st.container(horizontal=True, width="content", gap="xsmall", wrap=False):
                    if not is_open:
                        _opener(column)
                    _movers(actor, access, column, index)
        if is_open:
            _change(actor, access, column)


def _name(access: Access, column: ColumnInfo, *, is_open: bool, may_edit: bool) -> None:
    kind = column_type(column.type)
    st.button(
        f"**{literal(column.name)}**",
        icon=f":material/{kind.icon}:",
        key=f"open_{column.column_id}",
        type="tertiary",
        disabled=not may_edit,
        on_click=_open,
        args=(None if is_open else column.column_id,),
    )
    st.caption(kind.label, width="content")
    fields = [field.replace("_", " ") for field, used in access.sheet.pipeline.items() if used == column.column_id]
    if fields:
        st.badge(f"Pipeline: {', '.join(fields)}", color="green")
    if may_edit:
        for limit in limited(column.limits):
            st.badge(limit.capitalize(), icon=":material/lock:", color="orange")
    elif not access.may_write(column):
        st.badge("Read-only for you", icon=":material/lock:", color="gray")


def _opener(column: ColumnInfo) -> None:
    """The way into a column, in so many words; its name is another."""
    st.button("Change", key=f"change_{column.column_id}", on_click=_open, args=(column.column_id,))


def _movers(actor: Actor, access: Access, column: ColumnInfo, index: int) -> None:
    for way, icon, step, at_end in (
        ("up", "arrow_upward", -1, index == 0),
        ("down", "arrow_downward", 1, index == len(access.columns) - 1),
    ):
        st.button(
            f":material/{icon}:",
            key=f"{way}_{column.column_id}",
            help=f"Move {way}",
            type="tertiary",
            disabled=at_end,
            on_click=_move,
            args=(actor, access, column.column_id, step),
        )


def _move(actor: Actor, access: Access, column_id: int, step: int) -> None:
    order = [column.column_id for column in access.columns]
    index = order.index(column_id)
    order[index], order[index + step] = order[index + step], order[index]
    run_command(_in_transaction, columns.reorder_columns, actor, access.sheet.sheet_id, order)


def _about(column: ColumnInfo) -> None:
    """Its description, rules and choices at a glance."""
    texts = [literal(column.description), column_form.summary(column.type, column.rules)]
    labels = [option.label for option in column.options if not option.retired]
    if labels:
        more = f" and {len(labels) - CHOICES_SHOWN} more" if len(labels) > CHOICES_SHOWN else ""
        texts.append(literal(", ".join(labels[:CHOICES_SHOWN])) + more)
    if any(texts):
        st.caption(" · ".join(filter(None, texts)), width="content")


def _add(actor: Actor, access: Access, locale: Locale) -> None:
    key = f"new_{st.session_state.get(ROUND, 0)}"
    with st.container(border=True):
        st.subheader("New column")
        name_field, type_field = st.columns(2)
        name = name_field.text_input("Name", key=f"{key}_name", max_chars=columns.MAX_NAME)
        kind = type_field.selectbox(
            "Type",
            [*TYPES, *COMPUTED_TYPES],
            format_func=lambda type_name: column_type(type_name).label,
            key=f"{key}_type",
        )
        description = st.text_input("Description", key=f"{key}_description", placeholder="What belongs here")
        # Times in a new column are typed by the clock of the person who adds it, unless they choose another.
        defaults = {"time_zone": locale.time_zone, "currency": access.currency}
        preset = {rule.key: defaults[rule.key] for rule in column_type(kind).takes if rule.key in defaults}
        rules = column_form.rules(kind, preset, key=f"{key}_{kind}")
        options = column_form.options((), key=key, is_stage=False) if column_form.has_options(kind) else []
        with st.container(horizontal=True):
            add = st.button("Add this column", type="primary")
            st.button("Cancel", type="tertiary", on_click=_open, args=(None,))
        new = NewColumn(name, kind, rules, options, description)
        if add and run_command(_in_transaction, columns.add_column, actor, access.sheet.sheet_id, new):
            _done(f"“{name}” is added.")


def _change(actor: Actor, access: Access, column: ColumnInfo) -> None:
    sheet_id = access.sheet.sheet_id
    key = f"column_{column.column_id}_{st.session_state.get(ROUND, 0)}"
    name_field, description_field = st.columns([2, 3])
    name = name_field.text_input("Name", value=column.name, key=f"{key}_name", max_chars=columns.MAX_NAME)
    description = description_field.text_input("Description", value=column.description, key=f"{key}_description")
    changes: dict[str, Any] = {"name": name, "description": description}
    changes["rules"] = column_form.rules(column.type, column.rules, key=key)
    if column_form.has_options(column.type):
        is_stage = access.sheet.pipeline.get("stage") == column.column_id
        changes["options"] = tuple(column_form.options(column.options, key=key, is_stage=is_stage))
    limits = column_form.limits(column.limits, key=key)
    st.caption("The type stays, so that what was typed keeps its meaning.")
    with st.container(horizontal=True):
        save = st.button("Save", type="primary")
        st.button("Close", type="tertiary", on_click=_open, args=(None,))
        st.space("stretch")
        retire = st.button("Retire", icon=":material/delete:", help="Its values are kept and can be restored.")
    if save and run_command(_save, actor, access, column, changes, limits):
        _done("Saved.")
    if retire and run_command(_in_transaction, columns.retire_column, actor, sheet_id, column.column_id):
        _done(f"“{column.name}” is retired.")


def _save(
    actor: Actor, access: Access, column: ColumnInfo, changes: dict[str, Any], limits: dict[str, str | None]
) -> None:
    """What was changed, in one transaction."""
    sheet_id = access.sheet.sheet_id
    with transaction() as session:
        columns.change_column(session, actor, sheet_id, column.column_id, **changes)
        if {audience: limit for audience, limit in limits.items() if limit} != column.limits:
            columns.limit_column(session, actor, sheet_id, column.column_id, limits)


def _retired(actor: Actor, access: Access, retired: Sequence[ColumnInfo], *, may_edit: bool) -> None:
    with st.expander(f"Retired · {len(retired)}", icon=":material/delete:"):
        for column in retired:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(literal(column.name), width="stretch")
                if may_edit:
                    st.button(
                        "Restore",
                        key=f"restore_{column.column_id}",
                        on_click=_restore,
                        args=(actor, access, column),
                    )


def _restore(actor: Actor, access: Access, column: ColumnInfo) -> None:
    run_command(_in_transaction, columns.restore_column, actor, access.sheet.sheet_id, column.column_id)


def _done(message: str) -> None:
    _open(None)
    st.session_state[MESSAGE] = message
    st.rerun()


def _in_transaction(command: Callable[..., Any], actor: Actor, *args: Any, **kwargs: Any) -> None:
    with transaction() as session:
        command(session, actor, *args, **kwargs)


with error_boundary():
    show()
