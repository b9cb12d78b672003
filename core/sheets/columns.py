"""Columns of a sheet: what they are, and the commands that add, change, reorder and retire them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.access.access import HIDDEN, READ_ONLY, Access, ColumnInfo, get_access, made_column
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.notify import notify_sheet_rights
from core.base.permissions import Audience, Permission
from core.base.text import clean, folded_key, one_line
from core.column_types import column_type
from core.column_types.base import Option
from core.sheets.column_rules import checked_options, checked_rules
from db.tables.sheets import NARROW_SLOTS, Column, Sheet

MAX_COLUMNS = 500
# Whom a column may be limited for, and how. Who may not write at all needs no read-only column.
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
    """What it takes to make a column."""

    name: str
    type: str
    rules: dict[str, Any] = field(default_factory=dict)
    options: list[Option] = field(default_factory=list)
    description: str = ""


def add_column(session: Session, actor: Actor, sheet_id: int, new: NewColumn) -> ColumnInfo:
    """A new column behind the others."""
    return add_columns(session, actor, sheet_id, [new])[0]


def add_columns(session: Session, actor: Actor, sheet_id: int, news: list[NewColumn]) -> list[ColumnInfo]:
    """New columns behind the others, in this order; all or none."""
    access = get_access(session, actor, sheet_id, Permission.COLUMNS_EDIT)
    last = _take_column_ids(session, sheet_id, len(news))
    names = {_folded(column.name) for column in access.columns}
    if len(names) + len(news) > MAX_COLUMNS:
        raise Invalid(f"A sheet holds at most {MAX_COLUMNS} columns.")
    position = max((column.position for column in access.columns), default=0)
    slots = _free_slots(session, sheet_id)
    news = [with_currency(new, access.currency) for new in news]
    columns = [
        _new_column(
            access, new, last - len(news) + 1 + offset, position=position + 1 + offset, taken=names, slots=slots
        )
        for offset, new in enumerate(news)
    ]
    session.add_all(columns)
    session.flush()
    made = [made_column(vars(column)) for column in columns]
    audit.record(session, actor, "sheet:column:add", sheet_id=sheet_id, names=[column.name for column in made])
    return made


def with_currency(new: NewColumn, currency: str) -> NewColumn:
    """The column, in this currency if it is one of money and names no other."""
    if not column_type(new.type).has_currency or new.rules.get("currency"):
        return new
    return replace(new, rules={**new.rules, "currency": currency})


def change_column(session: Session, actor: Actor, sheet_id: int, column_id: int, **changes: Any) -> ColumnInfo:
    """Change name, description, rules or options. The type stays: what was typed keeps its meaning.

    Only what is different then is changed and recorded.
    """
    access = get_access(session, actor, sheet_id, Permission.COLUMNS_EDIT)
    column = access.column(column_id)
    others = {_folded(other.name) for other in access.columns if other.column_id != column_id}
    wanted = replace(column, **changes)
    kind = column_type(column.type)
    wanted = replace(
        wanted,
        name=checked_name(wanted.name, others),
        description=checked_description(wanted.description),
        rules=checked_rules(kind, wanted.rules),
        options=tuple(checked_options(kind, wanted.options, before=column.options)),
    )
    if column.rules.get("currency") and not wanted.rules.get("currency"):
        raise Invalid(f"“{column.name}” holds money, which has a currency: name one, such as EUR.")
    changed = [name for name, value in _stored(wanted).items() if value != _stored(column)[name]]
    if not changed:
        return column
    _touch_columns(session, sheet_id)
    session.execute(update(Column).where(*_is(sheet_id, column_id)).values(**_stored(wanted)))
    named = {"name": wanted.name} | ({"before": column.name} if wanted.name != column.name else {})
    facts: dict[str, Any] = {"column": column_id, "changed": sorted(changed), **named}
    audit.record(session, actor, "sheet:column:change", sheet_id=sheet_id, **facts)
    return wanted


def reorder_columns(session: Session, actor: Actor, sheet_id: int, order: list[int]) -> None:
    """Give the sheet's columns the order of these ids; those not named follow in their present order."""
    access = get_access(session, actor, sheet_id, Permission.COLUMNS_EDIT)
    for column_id in order:
        access.column(column_id)
    rest = [column.column_id for column in access.columns if column.column_id not in order]
    _touch_columns(session, sheet_id)
    for position, column_id in enumerate([*order, *rest], start=1):
        session.execute(update(Column).where(*_is(sheet_id, column_id)).values(position=position))
    audit.record(session, actor, "sheet:column:reorder", sheet_id=sheet_id, order=order)


def limit_column(
    session: Session, actor: Actor, sheet_id: int, column_id: int, limits: Mapping[str, str | None]
) -> ColumnInfo:
    """Hide a column from, or make it read-only for, an audience: {"editor": "read-only", "own": "hidden"}.

    One that is not named, or None, may see it and, where they may edit at all, change it. Who is of two audiences is
    held to both.
    """
    access = get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    column = access.column(column_id)
    wanted = {audience: limit for audience, limit in limits.items() if limit is not None}
    for audience, limit in wanted.items():
        if audience not in LIMITED or limit not in LIMITED[Audience(audience)]:
            raise Invalid(
                "A column is hidden from editor, commenter, viewer, own (people with their own rows) or link, "
                "or read-only for editor or own."
            )
    if wanted == column.limits:
        return column
    _touch_columns(session, sheet_id)
    session.execute(update(Column).where(*_is(sheet_id, column_id)).values(limits=wanted))
    notify_sheet_rights(session, sheet_id)
    audit.record(
        session, actor, "sheet:column:limit", sheet_id=sheet_id, column=column_id, name=column.name, limits=wanted
    )
    return replace(column, limits=wanted)


def hidden_but_by_links(access: Access) -> list[ColumnInfo]:
    """The columns that the owner hides from somebody and that public links show all the same."""
    return [
        column
        for column in access.columns
        if HIDDEN in column.limits.values() and not column.is_hidden_from([Audience.LINK])
    ]


def retire_column(session: Session, actor: Actor, sheet_id: int, column_id: int) -> None:
    """Take a column out of the sheet. Its values and their history stay and come back with restore_column."""
    access = get_access(session, actor, sheet_id, Permission.COLUMNS_EDIT)
    column = access.column(column_id)
    used_as = [part for part, used in access.sheet.pipeline.items() if used == column_id]
    if used_as:
        raise Invalid(f"“{column.name}” is the pipeline's {used_as[0].replace('_', ' ')}: choose another one first.")
    if column_id == access.sheet.owner_column:
        raise Invalid(f"“{column.name}” says whose a row is: choose another column for that first.")
    _touch_columns(session, sheet_id)
    session.execute(update(Column).where(*_is(sheet_id, column_id)).values(retired_at=func.now()))
    audit.record(session, actor, "sheet:column:retire", sheet_id=sheet_id, column=column_id, name=column.name)


def restore_column(session: Session, actor: Actor, sheet_id: int, column_id: int) -> None:
    """Bring a retired column back, with all its values."""
    access = get_access(session, actor, sheet_id, Permission.COLUMNS_EDIT)
    column = next((one for one in retired_columns(session, access) if one.column_id == column_id), None)
    if column is None:
        raise Invalid("There is no such retired column.")
    if _folded(column.name) in {_folded(other.name) for other in access.columns}:
        raise Invalid(f"There is a column “{column.name}” already. Rename that one first.")
    if len(access.columns) >= MAX_COLUMNS:
        raise Invalid(f"A sheet holds at most {MAX_COLUMNS} columns.")
    _touch_columns(session, sheet_id)
    session.execute(update(Column).where(*_is(sheet_id, column_id)).values(retired_at=None))
    audit.record(session, actor, "sheet:column:restore", sheet_id=sheet_id, column=column_id, name=column.name)


def retired_columns(session: Session, access: Access) -> list[ColumnInfo]:
    """The columns that were taken out of the sheet, as far as this person may see them."""
    rows = session.scalars(
        select(Column)
        .where(Column.sheet_id == access.sheet.sheet_id, Column.retired_at.is_not(None))
        .order_by(Column.retired_at)
    )
    retired = [made_column(vars(row)) for row in rows]
    return [column for column in retired if not column.is_hidden_from(access.audiences)]


def checked_name(name: str, taken: set[str]) -> str:
    """The name clean and in one line, or Invalid where it is empty, too long or taken."""
    name = one_line(clean(name))
    if not name:
        raise Invalid("A column needs a name.")
    if len(name) > MAX_NAME:
        raise Invalid(f"A column's name has at most {MAX_NAME} characters; this one has {len(name)}.")
    if _folded(name) in taken:
        raise Invalid(f"There is a column “{name}” already. Choose another name.")
    return name


def checked_description(description: str) -> str:
    """The description clean, or Invalid where it is too long."""
    description = clean(description)
    if len(description) > MAX_DESCRIPTION:
        raise Invalid(f"A description has at most {MAX_DESCRIPTION} characters; this one has {len(description)}.")
    return description


def _stored(column: ColumnInfo) -> dict[str, Any]:
    """What change_column() may change, as it is stored."""
    options = [option.as_stored() for option in column.options]
    return {"name": column.name, "description": column.description, "rules": column.rules, "options": options}


def _free_slots(session: Session, sheet_id: int) -> dict[str, Iterator[str]]:
    """Per kind the slots in which no column of the sheet stands; those beyond the last are filtered by their JSON."""
    taken = set(session.scalars(select(Column.slot).where(Column.sheet_id == sheet_id)))
    every = {kind: [f"{kind}{place}" for place in range(1, most + 1)] for kind, most in NARROW_SLOTS.items()}
    return {kind: iter([slot for slot in slots if slot not in taken]) for kind, slots in every.items()}


def _new_column(
    access: Access,
    new: NewColumn,
    column_id: int,
    *,
    position: int,
    taken: set[str],
    slots: dict[str, Iterator[str]],
) -> Column:
    kind = column_type(new.type)
    name = checked_name(new.name, taken)
    taken.add(_folded(name))
    options = checked_options(kind, new.options)
    return Column(
        sheet_id=access.sheet.sheet_id,
        column_id=column_id,
        name=name,
        type=new.type,
        description=checked_description(new.description),
        position=position,
        rules=checked_rules(kind, new.rules),
        options=[option.as_stored() for option in options],
        slot=next(slots[kind.slots], None) if kind.slots else None,
    )


def _take_column_ids(session: Session, sheet_id: int, count: int) -> int:
    """Reserve column ids and tell open grids that the columns change; the last id reserved."""
    last = session.scalar(
        update(Sheet)
        .where(Sheet.sheet_id == sheet_id)
        .values(last_column_id=Sheet.last_column_id + count, columns_version=Sheet.columns_version + 1)
        .returning(Sheet.last_column_id)
    )
    _notify(session, sheet_id)
    return last or 0


def _touch_columns(session: Session, sheet_id: int) -> None:
    _take_column_ids(session, sheet_id, 0)


def _notify(session: Session, sheet_id: int) -> None:
    version = select(Sheet.version).where(Sheet.sheet_id == sheet_id).scalar_subquery()
    session.execute(select(func.pg_notify("sheet_changes", func.concat(sheet_id, ":", version))))


def _is(sheet_id: int, column_id: int) -> tuple[Any, Any]:
    return Column.sheet_id == sheet_id, Column.column_id == column_id


def _folded(name: str) -> str:
    return folded_key(name)
