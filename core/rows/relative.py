"""Conditions that depend on the reader: relative dates and “me”, turned into days and people before SQL is made."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial

from core.access.access import Access, ColumnInfo
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.relative_dates import Calendar, days_of, is_relative
from core.column_types import column_type
from core.column_types.dates import clock_of
from core.column_types.person import ME
from core.column_types.traits import Form
from core.rows.filter_tree import Condition

NO_ME = "A public link has no “me”. Choose a person instead."
# Which day of a span an operator compares with: its first (0) or its last (1).
_EDGES = {"before": 0, "on_or_after": 0, "after": 1, "on_or_before": 1}


def resolved(access: Access, condition: Condition, column: ColumnInfo, calendar: Calendar | None = None) -> Condition:
    """Return the condition with days for relative dates and the reader for “me”. Invalid: a visitor is nobody.

    `calendar` is the access's, which is read from the database the first time, unless it is given.
    """
    kind = column_type(column.type)
    if kind.is_date:
        return _dated(condition, partial(_days, access, column, calendar))
    if kind.names_people and isinstance(condition.value, list) and ME in condition.value:
        if not isinstance(access.principal, Actor):
            raise Invalid(NO_ME)
        me = str(access.principal.user_id)
        return replace(condition, value=[me if value == ME else value for value in condition.value])
    return condition


def _dated(condition: Condition, days: Callable[[str], tuple[date, date]]) -> Condition:
    """Return the condition on days; one without a relative date stays as it is."""
    value = condition.value
    if condition.op == "between" and isinstance(value, list) and len(value) == 2:
        ends = [days(end)[edge].isoformat() if is_relative(end) else end for edge, end in enumerate(value)]
        return replace(condition, value=ends)
    if not is_relative(value):
        return condition
    if condition.op == "on":
        return replace(condition, op="between", value=[day.isoformat() for day in days(value)])
    return replace(condition, value=days(value)[_EDGES.get(condition.op, 0)].isoformat())


def _days(access: Access, column: ColumnInfo, calendar: Calendar | None, name: str) -> tuple[date, date]:
    """The days of a relative date: an instant's by the clock of its column, a date's by that of the reader."""
    calendar = calendar or access.calendar
    is_instant = column_type(column.type).form is Form.INSTANT
    return days_of(name, calendar.today(clock_of(column) if is_instant else None), calendar)
