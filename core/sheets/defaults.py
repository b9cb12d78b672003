"""Defaults of columns: the value that a new row gets where nothing was given for a cell.

A default is stored as {"value": …}, or as {"relative": "today" or "me"}, which stands for the day and the person who
adds the row.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.accounts.locale import get_locale, today
from core.base.errors import Invalid
from core.base.exact_json import Value, to_wire
from core.column_types import column_type
from core.column_types.base import References
from core.column_types.traits import Form

TODAY, ME = "today", "me"
Default = dict[str, Any] | None


def relative_defaults(type_name: str) -> list[str]:
    """Return the relative defaults that a column of this type can have."""
    kind = column_type(type_name)
    return [TODAY] if kind.is_date else [ME] if kind.names_people else []


def checked_default(column: ColumnInfo, references: References) -> Default:
    """Return the default to store. Raises Invalid where the column can't have it."""
    default, kind = column.default_value, column_type(column.type)
    if default is None:
        return None
    if kind.names_rows:
        raise Invalid(f"“{column.name}” is a relation, so it can't have a default.")
    if kind.is_computed or column.rules.get("unique"):
        reason = "computed" if kind.is_computed else "a column whose values are unique"
        raise Invalid(f"“{column.name}” is {reason}, so it can't have a default.")
    if [*default] == ["relative"]:
        if default["relative"] not in relative_defaults(column.type):
            raise Invalid(f"“{default['relative']}” is not a default for a column of the type {kind.label}.")
        return {"relative": default["relative"]}
    if [*default] not in (["value"], ["text"]):
        raise Invalid('A default is {"value": …}, {"text": "…"}, {"relative": "today"} or {"relative": "me"}.')
    try:
        if "text" in default:
            value = kind.parse(str(default["text"]), column, references)
        else:
            value = kind.check(default["value"], column, references)
    except Invalid as refusal:
        raise Invalid(f"The default of “{column.name}” doesn't fit: {refusal.message}") from refusal
    return None if value is None else {"value": to_wire(value)}


def default_values(session: Session, access: Access, *, given: Collection[int | None] = ()) -> dict[int, Value]:
    """Return the value that a new row gets in each column with a default, without those in `given`.

    Columns that the person can't see or write have theirs, too. A value that its column does not take any more
    is left out. People who see only some rows are the owners of those that they add.
    """
    given = {*given, access.sheet.owner_column} if access.owners is not None else given
    values: dict[int, Value] = {}
    for column in access.every_column:
        if column.default_value is not None and column.column_id not in given:
            value = _value(session, access, column, column.default_value)
            if value is not None:
                values[column.column_id] = value
    return values


def _value(session: Session, access: Access, column: ColumnInfo, default: Mapping[str, Any]) -> Value | None:
    kind = column_type(column.type)
    try:
        return kind.check(_json_value(session, access, kind.form, default), column, access.references)
    except Invalid:
        return None


def _json_value(session: Session, access: Access, form: Form, default: Mapping[str, Any]) -> Any:
    if default.get("relative") == ME:
        return str(access.actor.user_id)
    if default.get("relative") == TODAY:
        if form is Form.INSTANT:
            return datetime.now(UTC).isoformat(timespec="seconds")
        return today(get_locale(session, access.actor)).isoformat()
    return default["value"]
