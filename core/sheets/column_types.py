"""The type of a column as it is stored: which type a column may get, and the change of its definition."""

from dataclasses import replace
from typing import Any

from sqlalchemy import func, text, update
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo, EarlierType
from core.base.errors import Invalid
from core.base.text import folded_key
from core.column_types import column_type
from core.column_types.base import ColumnType
from core.computed.definitions import check_users
from core.sheets.columns import MAX_NAME, NewColumn, add_columns, column_is, free_slots, touch_columns
from core.sheets.related_columns import check_lookups
from core.sheets.sheets import PIPELINE_FIELDS
from db.tables.sheets import Column


def check_new_type(access: Access, column: ColumnInfo, kind: ColumnType[Any]) -> None:
    """Raise Invalid where the column can't get a type, because of its own type or of what the sheet uses it for."""
    if column.is_computed or kind.is_computed:
        computed = f"“{column.name}”" if column.is_computed else f"The type {kind.label}"
        raise Invalid(f"{computed} is computed, so no cells convert. Add a new column instead.")
    if kind.names_rows or column_type(column.type).names_rows:
        raise Invalid(
            "Cells do not convert to a relation, nor those of a relation to others. Add a new column instead."
        )
    if kind.name == column.type:
        raise Invalid(f"“{column.name}” has the type {kind.label} already.")
    for field, column_id in access.sheet.pipeline.items():
        if column_id == column.column_id and kind.name not in PIPELINE_FIELDS[field]:
            types = " or ".join(column_type(name).label for name in PIPELINE_FIELDS[field])
            role = field.replace("_", " ")
            raise Invalid(
                f"“{column.name}” is the pipeline's {role}, which has the type {types}. "
                "Choose another column for it first."
            )
    if column.column_id == access.sheet.owner_column and not kind.names_people:
        raise Invalid(f"“{column.name}” is the row-owner column. Choose another one first.")
    check_users(access, replace(column, type=kind.name, rules={}))
    check_lookups(access, column, kind.name)


def carried_rules(source: ColumnType[Any], kind: ColumnType[Any], rules: dict[str, Any]) -> dict[str, Any]:
    """Return the rules of a column that mean the same in another type."""
    shared = {rule.key for rule in source.takes if rule in kind.takes}
    return {key: value for key, value in rules.items() if key in shared}


def store_type(session: Session, sheet_id: int, old: ColumnInfo, new: ColumnInfo, version: int) -> ColumnInfo:
    """Store type, rules and options of a column as of a version of the sheet, with a slot for its cells.

    Its cells have to be converted in the same transaction, and moved to the slot by `move_cells`.
    """
    earlier = EarlierType(version, old.type, old.rules, old.options, old.default_value)
    source, kind = column_type(old.type), column_type(new.type)
    slot = old.slot
    if source.slots != kind.slots:
        slot = next(free_slots(session, sheet_id)[kind.slots], None) if kind.slots else None
    changed = replace(new, earlier=(*old.earlier, earlier), slot=slot)
    touch_columns(session, sheet_id)
    session.execute(
        update(Column)
        .where(*column_is(sheet_id, old.column_id))
        .values(
            type=changed.type,
            rules=changed.rules,
            options=[option.as_stored() for option in changed.options],
            earlier=[earlier.as_stored() for earlier in changed.earlier],
            slot=slot,
            default_value=changed.default_value,
        )
    )
    return changed


def move_cells(session: Session, sheet_id: int, old: ColumnInfo, new: ColumnInfo) -> None:
    """Copy the cells of a column whose type has changed to its slot, and empty the slot that it had."""
    if old.slot != new.slot:
        session.execute(_MOVE, {"sheet": sheet_id, "column": new.column_id, "slot": old.slot})


def add_beside(session: Session, access: Access, column: ColumnInfo, new: NewColumn) -> ColumnInfo:
    """Add a column right after another one, hidden and read-only for the same people. Its name is made free."""
    sheet_id = access.sheet.sheet_id
    name = free_name(new.name, [other.name for other in access.every_column])
    (added,) = add_columns(session, access.actor, sheet_id, [replace(new, name=name)])
    behind = (Column.sheet_id == sheet_id, Column.position > column.position, Column.column_id != added.column_id)
    session.execute(update(Column).where(*behind).values(position=Column.position + 1))
    position, limits = column.position + 1, dict(column.limits)
    is_added = column_is(sheet_id, added.column_id)
    session.execute(update(Column).where(*is_added).values(position=position, limits=limits))
    return replace(added, position=position, limits=limits)


def retire_added(session: Session, sheet_id: int, column_id: int) -> None:
    """Retire a column that a change of type had added, because the change is taken back."""
    touch_columns(session, sheet_id)
    session.execute(update(Column).where(*column_is(sheet_id, column_id)).values(retired_at=func.now()))


def restore_added(session: Session, access: Access, column_id: int) -> None:
    """Restore a column that `retire_added` has retired, under a free name."""
    sheet_id = access.sheet.sheet_id
    column = session.get(Column, (sheet_id, column_id), populate_existing=True)
    if column is not None and column.retired_at is not None:
        touch_columns(session, sheet_id)
        column.name = free_name(column.name, [other.name for other in access.every_column])
        column.retired_at = None
        session.flush()


def free_name(name: str, used: list[str]) -> str:
    """Return the name, with a number where another column has it."""
    keys = {folded_key(other) for other in used}
    numbers = ("", *(f" {number}" for number in range(2, len(used) + 3)))
    names = (f"{name[: MAX_NAME - len(number)]}{number}" for number in numbers)
    return next(free for free in names if folded_key(free) not in keys)


_MOVE = text("SELECT move_narrow_cells(:sheet, :column, :slot)")
