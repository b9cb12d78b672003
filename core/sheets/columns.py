"""Columns of a sheet: add, change, limit, reorder, retire and restore them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.access.access import HIDDEN, READ_ONLY, Access, ColumnInfo
from core.access.load import column_info, get_access
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.permissions import Audience, Permission
from core.base.pg_notify import notify_sheet_rights
from core.base.text import clean, folded_key, one_line
from core.column_types import Mirror, column_type
from core.column_types.base import Option
from core.computed.definitions import is_formula, settled, users_of, with_unseen_filter
from core.sheets.column_rules import checked_options, checked_rules
from core.sheets.defaults import checked_default
from core.sheets.related_columns import (
    carry_currency,
    check_lookups,
    check_new,
    is_lookup,
    is_relation,
    mirror_name,
    mirror_of,
    refuse_without_relation,
    restore_mirror,
    retire_mirror,
    settled_lookup,
)
from db.tables.sheets import NARROW_SLOTS, Column, Sheet

MAX_COLUMNS = 500
# The limits that a column can have per audience. Audiences that can't write have no read-only limit.
LIMITED: dict[Audience, tuple[str, ...]] = {
    Audience.EDITOR: (HIDDEN, READ_ONLY),
    Audience.COMMENTER: (HIDDEN,),
    Audience.VIEWER: (HIDDEN,),
    Audience.OWN_ROWS: (HIDDEN, READ_ONLY),
    Audience.LINK: (HIDDEN,),
}
MAX_NAME = 120
MAX_DESCRIPTION = 2000


@dataclass(frozen=True)
class NewColumn:
    """The definition of a new column."""

    name: str
    type: str
    rules: dict[str, Any] = field(default_factory=dict)
    options: list[Option] = field(default_factory=list)
    description: str = ""
    default_value: dict[str, Any] | None = None


def add_column(session: Session, actor: Actor, sheet_id: int, new: NewColumn) -> ColumnInfo:
    """Add a column after the others."""
    return add_columns(session, actor, sheet_id, [new])[0]


def add_columns(session: Session, actor: Actor, sheet_id: int, news: list[NewColumn]) -> list[ColumnInfo]:
    """Add columns after the others, in this order; all or none. A relation gets its mirror in the sheet that it points
    to, where the person may add columns. Raises Invalid and NotAllowed."""
    access = get_access(session, actor, sheet_id, Permission.COLUMNS_EDIT)
    news = [_with_result_type(access, new) for new in news]
    for new in news:
        check_new(session, actor, new.type, new.rules)
    added = _add(session, access, news)
    if any(is_relation(column.type) for column in added):
        notify_sheet_rights(session, sheet_id)  # Open grids follow the related sheet from now on.
    return [_with_mirror(session, access, column) if is_relation(column.type) else column for column in added]


def _with_result_type(access: Access, new: NewColumn) -> NewColumn:
    """Return the column with the type that its formula or its lookup gives, if it has one. Raises Invalid."""
    if is_lookup(new.type):
        type_name, rules = settled_lookup(access, new.rules)
        return replace(new, type=type_name, rules=rules)
    if not is_formula(new.type):
        return new
    type_name, rules = settled(access, new.type, new.rules)
    return replace(new, type=type_name, rules=rules)


def with_currency(new: NewColumn, currency: str) -> NewColumn:
    """Return the column with this currency if it has type money and no currency of its own."""
    if not column_type(new.type).has_currency or new.rules.get("currency"):
        return new
    return replace(new, rules={**new.rules, "currency": currency})


def change_column(session: Session, actor: Actor, sheet_id: int, column_id: int, **changes: Any) -> ColumnInfo:
    """Change name, description, rules, options or default. Raises Invalid and NotAllowed.

    The type stays, but for that of a formula, which is what the formula gives.

    Records only what differs.
    """
    access = get_access(session, actor, sheet_id, Permission.COLUMNS_EDIT)
    column = access.column(column_id)
    others = {_folded(other.name) for other in access.columns if other.column_id != column_id}
    new = replace(column, **changes)
    if column_type(column.type).is_computed and not is_formula(column.type):
        new = replace(new, rules=dict(with_unseen_filter(access, column, new.rules)))
    if is_formula(column.type) and "rules" in changes:
        type_name, rules = settled(access, new.type, new.rules, column_id=column_id)
        new = replace(new, type=type_name, rules=rules)
        check_lookups(access, column, type_name)
    kind = column_type(new.type)
    new = replace(
        new,
        name=checked_name(new.name, others),
        description=checked_description(new.description),
        rules=checked_rules(kind, new.rules),
        options=tuple(checked_options(kind, new.options, column.options, used_ids=column.earlier_option_ids)),
    )
    new = replace(new, default_value=checked_default(new, access.references))
    if kind.has_currency and column.rules.get("currency") and not new.rules.get("currency"):
        raise Invalid(f"“{column.name}” is a money column and needs a currency, such as EUR.")
    if any(new.rules.get(rule) != column.rules.get(rule) for rule in kind.fixed_rules):
        raise Invalid(f"“{column.name}” keeps what it points to. Add another column for another sheet.")
    changed = [name for name, value in _stored(new).items() if value != _stored(column)[name]]
    if not changed:
        return column
    touch_columns(session, sheet_id)
    session.execute(update(Column).where(*column_is(sheet_id, column_id)).values(**_stored(new)))
    if new.rules.get("currency") != column.rules.get("currency"):
        for other_sheet in carry_currency(session, sheet_id, new):
            touch_columns(session, other_sheet)
    names = {"name": new.name} | ({"before": column.name} if new.name != column.name else {})
    facts: dict[str, Any] = {"column": column_id, "changed": sorted(changed), **names}
    audit.record(session, actor, "sheet:column:change", sheet_id=sheet_id, **facts)
    return new


def reorder_columns(session: Session, actor: Actor, sheet_id: int, order: list[int]) -> None:
    """Put the columns in the order of these ids, then all others in their current order."""
    access = get_access(session, actor, sheet_id, Permission.COLUMNS_EDIT)
    for column_id in order:
        access.column(column_id)
    rest = [column.column_id for column in access.columns if column.column_id not in order]
    touch_columns(session, sheet_id)
    for position, column_id in enumerate([*order, *rest], start=1):
        session.execute(update(Column).where(*column_is(sheet_id, column_id)).values(position=position))
    audit.record(session, actor, "sheet:column:reorder", sheet_id=sheet_id, order=order)


def limit_column(
    session: Session, actor: Actor, sheet_id: int, column_id: int, limits: Mapping[str, str | None]
) -> ColumnInfo:
    """Set the column's limits, which replace all earlier ones: {"editor": "read-only", "own": "hidden"}.

    An audience without a limit, or with None, has none. A person in two audiences has the limits of both. Raises
    Invalid and NotAllowed.
    """
    access = get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    column = access.column(column_id)
    new_limits = {audience: limit for audience, limit in limits.items() if limit is not None}
    for audience, limit in new_limits.items():
        if audience not in LIMITED or limit not in LIMITED[Audience(audience)]:
            raise Invalid(
                "A column can be hidden from editor, commenter, viewer, own (people with their own rows) or link, "
                "and read-only for editor or own."
            )
    if new_limits == column.limits:
        return column
    touch_columns(session, sheet_id)
    session.execute(update(Column).where(*column_is(sheet_id, column_id)).values(limits=new_limits))
    notify_sheet_rights(session, sheet_id)
    audit.record(
        session, actor, "sheet:column:limit", sheet_id=sheet_id, column=column_id, name=column.name, limits=new_limits
    )
    return replace(column, limits=new_limits)


def hidden_except_on_links(access: Access) -> list[ColumnInfo]:
    """Return the columns that are hidden from an audience but shown on public links."""
    return [
        column
        for column in access.columns
        if HIDDEN in column.limits.values() and not column.is_hidden_from([Audience.LINK])
    ]


def retire_column(session: Session, actor: Actor, sheet_id: int, column_id: int) -> None:
    """Remove a column from the sheet; restore_column() brings it back with its values and history. Raises Invalid."""
    access = get_access(session, actor, sheet_id, Permission.COLUMNS_EDIT)
    column = access.column(column_id)
    used_as = [field for field, used_id in access.sheet.pipeline.items() if used_id == column_id]
    if used_as:
        raise Invalid(
            f"“{column.name}” is the pipeline's {used_as[0].replace('_', ' ')}. Choose another column for it first."
        )
    if column_id == access.sheet.owner_column:
        raise Invalid(f"“{column.name}” is the row-owner column. Choose another one first.")
    if users := users_of(access.every_column, column_id):
        names = ", ".join(f"“{user.name}”" for user in users if user.column_id in access.by_id) or "Another column"
        raise Invalid(f"{names} is computed from “{column.name}”. Change or retire that first.")
    touch_columns(session, sheet_id)
    session.execute(update(Column).where(*column_is(sheet_id, column_id)).values(retired_at=func.now()))
    if mirror := mirror_of(column):
        retire_mirror(session, actor, *mirror)
        touch_columns(session, mirror[0])
    audit.record(session, actor, "sheet:column:retire", sheet_id=sheet_id, column=column_id, name=column.name)


def restore_column(session: Session, actor: Actor, sheet_id: int, column_id: int) -> None:
    """Restore a retired column with its values. Raises Invalid."""
    access = get_access(session, actor, sheet_id, Permission.COLUMNS_EDIT)
    column = next((other for other in retired_columns(session, access) if other.column_id == column_id), None)
    if column is None:
        raise Invalid("This column isn't retired.")
    if _folded(column.name) in {_folded(other.name) for other in access.columns}:
        raise Invalid(f"There is already a column “{column.name}”. Rename it first.")
    if len(access.columns) >= MAX_COLUMNS:
        raise Invalid(f"A sheet has at most {MAX_COLUMNS} columns.")
    refuse_without_relation(session, access, column)
    if not column.inputs <= {other.column_id for other in access.every_column}:
        raise Invalid(f"“{column.name}” is computed from a column that is retired. Restore that first.")
    touch_columns(session, sheet_id)
    if mirror := mirror_of(column):
        restore_mirror(session, actor, *mirror)
        touch_columns(session, mirror[0])
    session.execute(update(Column).where(*column_is(sheet_id, column_id)).values(retired_at=None))
    audit.record(session, actor, "sheet:column:restore", sheet_id=sheet_id, column=column_id, name=column.name)


def retired_columns(session: Session, access: Access) -> list[ColumnInfo]:
    """Return the retired columns that this actor may see."""
    rows = session.scalars(
        select(Column)
        .where(Column.sheet_id == access.sheet.sheet_id, Column.retired_at.is_not(None))
        .order_by(Column.retired_at)
    )
    retired = [column_info(vars(row)) for row in rows]
    return [column for column in retired if not column.is_hidden_from(access.audiences)]


def checked_name(name: str, used_keys: set[str]) -> str:
    """Return the name cleaned, on one line. Raises Invalid if it is empty, too long or used already."""
    name = one_line(clean(name))
    if not name:
        raise Invalid("A column needs a name.")
    if len(name) > MAX_NAME:
        raise Invalid(f"A column's name has at most {MAX_NAME} characters. This one has {len(name)}.")
    if _folded(name) in used_keys:
        raise Invalid(f"There is already a column “{name}”. Choose another name.")
    return name


def checked_description(description: str) -> str:
    """Return the description cleaned. Raises Invalid if it is too long."""
    description = clean(description)
    if len(description) > MAX_DESCRIPTION:
        raise Invalid(f"A description has at most {MAX_DESCRIPTION} characters. This one has {len(description)}.")
    return description


def _with_mirror(session: Session, access: Access, relation: ColumnInfo) -> ColumnInfo:
    """Add the mirror of a new relation, if its maker may, and return the relation with it."""
    target = get_access(session, access.actor, relation.rules["sheet"])
    if Permission.COLUMNS_EDIT not in target.permissions:
        return relation
    notify_sheet_rights(session, target.sheet.sheet_id)
    name = mirror_name(access, target, relation)
    rules = {"sheet": access.sheet.sheet_id, "relation": relation.column_id}
    (mirror,) = _add(session, target, [NewColumn(name, Mirror.name, rules)])
    rules = {**relation.rules, "mirror": mirror.column_id}
    session.execute(update(Column).where(*column_is(access.sheet.sheet_id, relation.column_id)).values(rules=rules))
    return replace(relation, rules=rules)


def _add(session: Session, access: Access, news: list[NewColumn]) -> list[ColumnInfo]:
    sheet_id, actor = access.sheet.sheet_id, access.actor
    last = _take_column_ids(session, sheet_id, len(news))
    names = {_folded(column.name) for column in access.columns}
    if len(names) + len(news) > MAX_COLUMNS:
        raise Invalid(f"A sheet has at most {MAX_COLUMNS} columns.")
    position = max((column.position for column in access.columns), default=0)
    slots = free_slots(session, sheet_id)
    news = [with_currency(new, access.currency) for new in news]
    columns = [
        _new_column(
            access, new, last - len(news) + 1 + offset, position=position + 1 + offset, used_keys=names, slots=slots
        )
        for offset, new in enumerate(news)
    ]
    session.add_all(columns)
    session.flush()
    added = [column_info(vars(column)) for column in columns]
    audit.record(session, actor, "sheet:column:add", sheet_id=sheet_id, names=[column.name for column in added])
    return added


def _stored(column: ColumnInfo) -> dict[str, Any]:
    """Return what change_column() can change, as stored values."""
    options = [option.as_stored() for option in column.options]
    definition = {"rules": column.rules, "options": options, "default_value": column.default_value}
    return {"name": column.name, "type": column.type, "description": column.description, **definition}


def free_slots(session: Session, sheet_id: int) -> dict[str, Iterator[str]]:
    """Return the unused slots of the sheet per kind. A column without a slot is filtered by its JSON."""
    used = set(session.scalars(select(Column.slot).where(Column.sheet_id == sheet_id)))
    every = {kind: [f"{kind}{number}" for number in range(1, count + 1)] for kind, count in NARROW_SLOTS.items()}
    return {kind: iter([slot for slot in slots if slot not in used]) for kind, slots in every.items()}


def _new_column(
    access: Access,
    new: NewColumn,
    column_id: int,
    *,
    position: int,
    used_keys: set[str],
    slots: dict[str, Iterator[str]],
) -> Column:
    kind = column_type(new.type)
    name = checked_name(new.name, used_keys)
    used_keys.add(_folded(name))
    options = tuple(checked_options(kind, new.options))
    rules, description = checked_rules(kind, new.rules), checked_description(new.description)
    info = ColumnInfo(column_id, name, new.type, description, position, rules, options, default_value=new.default_value)
    return Column(
        sheet_id=access.sheet.sheet_id,
        column_id=column_id,
        name=name,
        type=new.type,
        description=description,
        position=position,
        rules=rules,
        options=[option.as_stored() for option in options],
        slot=next(slots[kind.slots], None) if kind.slots else None,
        default_value=checked_default(info, access.references),
    )


def _take_column_ids(session: Session, sheet_id: int, count: int) -> int:
    """Reserve column ids, notify open grids of changed columns, and return the last reserved id."""
    last = session.scalar(
        update(Sheet)
        .where(Sheet.sheet_id == sheet_id)
        .values(last_column_id=Sheet.last_column_id + count, columns_version=Sheet.columns_version + 1)
        .returning(Sheet.last_column_id)
    )
    _notify(session, sheet_id)
    return last or 0


def touch_columns(session: Session, sheet_id: int) -> None:
    """Notify open grids that the sheet's columns are changed."""
    _take_column_ids(session, sheet_id, 0)


def _notify(session: Session, sheet_id: int) -> None:
    version = select(Sheet.version).where(Sheet.sheet_id == sheet_id).scalar_subquery()
    session.execute(select(func.pg_notify("sheet_changes", func.concat(sheet_id, ":", version))))


def column_is(sheet_id: int, column_id: int) -> tuple[Any, Any]:
    """Return the conditions of one row of the table of columns."""
    return Column.sheet_id == sheet_id, Column.column_id == column_id


def _folded(name: str) -> str:
    return folded_key(name)
