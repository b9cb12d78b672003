"""The drawer of a column: its name, type, default, rules, choices, and who sees it; or the form of a new column."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.access.access import Access, ColumnInfo
from core.accounts.locale import Locale
from core.base.actor import Actor
from core.column_types import COMPUTED_TYPES, TYPES, Relation, column_type
from core.column_types.lookup import LOOKUP
from core.computed.definitions import FORMULA, is_formula, shown_rules
from core.sheets import columns
from core.sheets.columns import NewColumn
from core.sheets.sheets import ListedSheet, sheets
from db.engine import transaction
from pages.components.app.errors import error_boundary, run_command
from pages.components.app.format import literal
from pages.components.sheet import column_form, formula_form, lookup_form, type_change

Done = Callable[[str], None]  # Closes the drawer with a message.
WIDTH = 560
# The types that get another name once it is known what they are computed from.
NAMES = {FORMULA: "Formula", LOOKUP: "Lookup or rollup"}


def add(actor: Actor, access: Access, locale: Locale, *, key: str, close: Callable[[], None], done: Done) -> None:
    """Open the form of a new column."""

    @st.dialog("New column", width=WIDTH, position="right", on_dismiss=close)
    def draw() -> None:
        with error_boundary():
            _add(actor, access, locale, key=key, done=done)

    draw()


def change(
    actor: Actor,
    access: Access,
    column: ColumnInfo,
    locale: Locale,
    *,
    key: str,
    close: Callable[[], None],
    done: Done,
) -> None:
    """Open the settings of a column."""

    @st.dialog(literal(column.name), width=WIDTH, position="right", on_dismiss=close)
    def draw() -> None:
        with error_boundary():
            _change(actor, access, column, locale, key=key, done=done)

    draw()


def in_transaction(command: Callable[..., Any], actor: Actor, *args: Any, **kwargs: Any) -> None:
    """Run a command of core in a transaction."""
    with transaction() as session:
        command(session, actor, *args, **kwargs)


def _add(actor: Actor, access: Access, locale: Locale, *, key: str, done: Done) -> None:
    name_field, type_field = st.columns(2)
    name = name_field.text_input("Name", key=f"{key}_name", max_chars=columns.MAX_NAME)
    kind = type_field.selectbox(
        "Type",
        [
            *TYPES,
            FORMULA,
            Relation.name,
            LOOKUP,
            *(type_name for type_name in COMPUTED_TYPES if not is_formula(type_name)),
        ],
        format_func=lambda type_name: NAMES.get(type_name) or column_type(type_name).label,
        key=f"{key}_type",
    )
    description = st.text_input("Description", key=f"{key}_description", placeholder="What belongs here")
    if kind == FORMULA:
        entered = formula_form.formula(actor, access, {}, key=key)
        new = NewColumn(name, entered.type, entered.rules, description=description)
        _add_button(actor, access, new, done, disabled=not entered.is_valid)
        return
    if kind == LOOKUP:
        new = NewColumn(name, kind, lookup_form.lookup(actor, access, key=key), description=description)
        _add_button(actor, access, new, done)
        return
    preset = _preset(access, locale)
    known = {rule.key: preset[rule.key] for rule in column_type(kind).takes if rule.key in preset}
    options = column_form.options((), key=key, is_stage=False) if column_form.has_options(kind) else []
    rules = column_form.rules(kind, known, key=f"{key}_{kind}")
    if kind == Relation.name:
        rules |= column_form.related_sheet(_sheets(actor), key=key)
    # A choice of a new column has no id before it is added, so it becomes the default by its label.
    draft = ColumnInfo(0, name, kind, "", 0, rules, tuple(options))
    default = None if draft.is_computed else column_form.default(draft, access.references, key=f"{key}_{kind}")
    _add_button(actor, access, NewColumn(name, kind, rules, options, description, default), done)


def _add_button(actor: Actor, access: Access, new: NewColumn, done: Done, *, disabled: bool = False) -> None:
    if st.button("Add this column", type="primary", disabled=disabled) and run_command(
        in_transaction, columns.add_column, actor, access.sheet.sheet_id, new
    ):
        done(f"“{new.name}” is added.")


def _change(actor: Actor, access: Access, column: ColumnInfo, locale: Locale, *, key: str, done: Done) -> None:
    name_field, type_field = st.columns(2)
    name = name_field.text_input("Name", value=column.name, key=f"{key}_name", max_chars=columns.MAX_NAME)
    with type_field:
        if column.is_computed:
            st.text_input("Type", value=column_type(column.type).label, key=f"{key}_type", disabled=True)
        type_name = column.type if column.is_computed else type_change.choose(column, key)
    if type_name != column.type:
        if type_change.show(actor, access, column, type_name, key=key, preset=_preset(access, locale)):
            done(f"“{column.name}” is changed to {column_type(type_name).label.lower()}.")
        return
    description = st.text_input("Description", value=column.description, key=f"{key}_description")
    changes: dict[str, Any] = {"name": name, "description": description}
    if column_form.has_options(column.type):
        is_stage = access.sheet.pipeline.get("stage") == column.column_id
        changes["options"] = tuple(column_form.options(column.options, key=key, is_stage=is_stage))
    if is_formula(column.type):
        changes |= _formula(actor, access, column, key)
    else:
        changes["rules"] = column_form.rules(column.type, column.rules, key=key)
    if not column.is_computed:
        changes["default_value"] = column_form.default(column, access.references, key=key)
    limits = column_form.limits(column.limits, key=key)
    with st.container(horizontal=True):
        save = st.button("Save", type="primary")
        st.space("stretch")
        retire = st.button("Retire", icon=":material/delete:", help="Its values are kept and can be restored.")
    if save and run_command(_save, actor, access, column, changes, limits):
        done("Saved.")
    if retire and run_command(in_transaction, columns.retire_column, actor, access.sheet.sheet_id, column.column_id):
        done(f"“{column.name}” is retired. Filters and sorts by it have no effect until it is restored.")


def _sheets(actor: Actor) -> list[ListedSheet]:
    """Return the sheets that a relation may point to."""
    with transaction() as session:
        return sheets(session, actor)


def _formula(actor: Actor, access: Access, column: ColumnInfo, key: str) -> dict[str, Any]:
    shown = shown_rules(access, column)
    entered = formula_form.formula(actor, access, shown, key=key, type_name=column.type, column_id=column.column_id)
    return {"type": entered.type, "rules": entered.rules}


def _preset(access: Access, locale: Locale) -> dict[str, Any]:
    """Return the rules that a column starts with: times are typed by the clock of the person who makes it."""
    return {"time_zone": locale.time_zone, "currency": access.currency}


def _save(
    actor: Actor, access: Access, column: ColumnInfo, changes: dict[str, Any], limits: dict[str, str | None]
) -> None:
    """Store what was changed, in one transaction."""
    sheet_id = access.sheet.sheet_id
    with transaction() as session:
        columns.change_column(session, actor, sheet_id, column.column_id, **changes)
        if {audience: limit for audience, limit in limits.items() if limit} != column.limits:
            columns.limit_column(session, actor, sheet_id, column.column_id, limits)
