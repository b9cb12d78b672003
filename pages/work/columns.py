"""Columns of a sheet: add, rename, set rules and choices, reorder, retire, restore."""

from collections.abc import Sequence

import streamlit as st

from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.accounts.locale import Locale, get_locale
from core.base.actor import Actor
from core.base.permissions import Permission
from core.column_types import column_type
from core.computed.definitions import shown_rules
from core.sheets import columns
from core.sheets.sales_columns import add_sales_columns, missing_sales_columns
from db.engine import transaction
from pages.components.app.column_limits import limited
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary, run_command
from pages.components.app.format import literal
from pages.components.sheet import column_drawer, column_form, sheet_picker
from pages.components.sheet.column_drawer import in_transaction

# Which column is open: its id, NEW for one that is being added, None for none.
OPEN = "columns_open"
NEW = 0
ROUND = "columns_round"
MESSAGE = "columns_message"  # Shown by the next run: a rerun drops toasts of this one.
CHOICES_SHOWN = 8


def show() -> None:
    """Draw the page: a line for each column. The one that was clicked opens in a drawer."""
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
        if may_edit and missing_sales_columns(access):
            st.button(
                "Add sales columns",
                icon=":material/monitoring:",
                help="Weighted amount, age, days in stage, moves of the close date and more, as formulas.",
                on_click=_add_sales_columns,
                args=(actor, access),
            )
        if may_edit:
            st.button("Add a column", icon=":material/add:", type="primary", on_click=_open, args=(NEW,))
    if not may_edit:
        st.caption("Only the owner of this sheet changes its columns.")
    _take_link(access)
    with st.container(gap="xxsmall"):
        for index, column in enumerate(access.columns):
            _column(actor, access, column, index, may_edit=may_edit)
    if retired:
        _retired(actor, access, retired, may_edit=may_edit)
    if may_edit:
        _drawer(actor, access, locale)


def _add_sales_columns(actor: Actor, access: Access) -> None:
    run_command(in_transaction, add_sales_columns, actor, access.sheet.sheet_id)


def _drawer(actor: Actor, access: Access, locale: Locale) -> None:
    """Draw the drawer of the open column, or of a new one."""
    column_id = st.session_state.get(OPEN)
    key = f"column_{column_id}_{st.session_state.get(ROUND, 0)}"
    if column_id == NEW:
        column_drawer.add(actor, access, locale, key=key, close=_close, done=_done)
    elif column := access.by_id.get(column_id or NEW):
        column_drawer.change(actor, access, column, locale, key=key, close=_close, done=_done)


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


def _close() -> None:
    _open(None)


def _column(actor: Actor, access: Access, column: ColumnInfo, index: int, *, may_edit: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            _name(access, column, may_edit=may_edit)
            _about(access, column)
        if may_edit:
            with st.container(horizontal=True, width="content", gap="xsmall", wrap=False):
                st.button(
                    "Change",
                    key=f"change_{column.column_id}",
                    type="tertiary",
                    on_click=_open,
                    args=(column.column_id,),
                )
                _movers(actor, access, column, index)


def _name(access: Access, column: ColumnInfo, *, may_edit: bool) -> None:
    kind = column_type(column.type)
    st.button(
        f"**{literal(column.name)}**",
        icon=f":material/{kind.icon}:",
        key=f"open_{column.column_id}",
        type="tertiary",
        disabled=not may_edit,
        on_click=_open,
        args=(column.column_id,),
        help="Change this column" if may_edit else None,
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
    run_command(in_transaction, columns.reorder_columns, actor, access.sheet.sheet_id, order)


def _about(access: Access, column: ColumnInfo) -> None:
    """Its description, rules and choices at a glance."""
    texts = [literal(column.description), column_form.summary(column.type, shown_rules(access, column))]
    if column.default_value:
        texts.append(f"Default {literal(column_form.default_text(column))}")
    labels = [option.label for option in column.options if not option.retired]
    if labels:
        more = f" and {len(labels) - CHOICES_SHOWN} more" if len(labels) > CHOICES_SHOWN else ""
        texts.append(literal(", ".join(labels[:CHOICES_SHOWN])) + more)
    if any(texts):
        st.caption(" · ".join(filter(None, texts)), width="content")


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
    run_command(in_transaction, columns.restore_column, actor, access.sheet.sheet_id, column.column_id)


def _done(message: str) -> None:
    _open(None)
    st.session_state[MESSAGE] = message
    st.rerun()


with error_boundary():
    show()
