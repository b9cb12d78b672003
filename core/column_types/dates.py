"""Dates and instants. A date is a day of the calendar wherever one is; date and time is an instant, kept in UTC."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from core.base.errors import Invalid
from core.base.text import one_line
from core.column_types.base import ColumnLike, ColumnType, Draft, References, expected
from core.column_types.cell_sql import SqlCell
from core.column_types.conditions import DATE, SqlCondition
from core.column_types.date_text import ORDERS, SHORT_YEARS, date_of, instant_of
from core.column_types.rules import REQUIRED, UNIQUE, Rule
from core.column_types.shown_forms import shows_day, shows_instant
from core.column_types.traits import Form

ORDER = Rule(
    "date_order",
    "Order of day and month",
    "choice",
    choices=("auto", *ORDERS),
    help=f"How 03/04/2026 is read. Automatic refuses it. {SHORT_YEARS}",
)
ZONE = Rule("time_zone", "Time zone", "time_zone", help="By its clock times are typed and shown, for all; else UTC.")


def clock_of(column: ColumnLike) -> ZoneInfo:
    """The clock by which the times of a column are typed, shown and counted as days."""
    return ZoneInfo(column.rules.get("time_zone", "UTC"))


class Moment(ColumnType[str]):
    """What dates and instants have in common: both are stored as ISO text, whose order is that of time."""

    value_class = str
    filters = DATE
    slots = "t"
    longest: ClassVar[int] = 100

    def reader(self, column: ColumnLike, references: References, current: str | None = None) -> Callable[[str], str]:
        read = self.plain_reader(column)
        earliest, latest = column.rules.get("min"), column.rules.get("max")

        def limited(text: str) -> str:
            moment = read(text)
            if earliest is not None and moment < earliest:
                raise Invalid(f"{moment} is too early: the earliest here is {earliest}.")
            if latest is not None and moment > latest:
                raise Invalid(f"{moment} is too late: the latest here is {latest}.")
            return moment

        return limited

    def plain_reader(self, column: ColumnLike) -> Callable[[str], str]:
        """Return a function that reads a text as ISO text, without the limits of the column."""
        raise NotImplementedError

    def verify(self, value: Any, column: ColumnLike, references: References, current: str | None = None) -> str | None:
        if not isinstance(value, str):
            raise expected(value, "a date as text, such as 2026-12-31")
        return self.parse(value, column, references, current)

    def settle_rules(self, rules: dict[str, Any]) -> dict[str, Any]:
        """The limits as they are stored: read like cells of the column."""
        draft = Draft(self.name, rules)
        return rules | {key: self.plain_reader(draft)(rules[key]) for key in ("min", "max") if key in rules}


class Date(Moment):
    """A day, from 1900 to 2199, stored as 2026-12-31."""

    name, label, icon, editor = "date", "Date", "event", "date"
    form = Form.DAY
    width = 86
    takes: ClassVar[tuple[Rule, ...]] = (
        REQUIRED,
        UNIQUE,
        Rule("min", "Earliest", "date"),
        Rule("max", "Latest", "date"),
        ORDER,
    )

    def plain_reader(self, column: ColumnLike) -> Callable[[str], str]:
        order = _order(column)

        def read(text: str) -> str:
            return date_of(one_line(text), order).isoformat()

        return read

    def converter(
        self, source: ColumnType[Any], old: ColumnLike, new: ColumnLike, references: References
    ) -> Callable[[Any], str | None]:
        """An instant becomes the day of its column's clock."""
        if source.form is not Form.INSTANT:
            return super().converter(source, old, new, references)
        clock, read = clock_of(old), self.parser(new, references)
        return lambda value: read(datetime.fromisoformat(value).astimezone(clock).date().isoformat())

    def contains(self, text: str, cell: SqlCell, column: ColumnLike, references: References) -> SqlCondition:
        return shows_day(cell, text)

    def operand(self, value: Any, column: ColumnLike, references: References) -> tuple[str, str]:
        """The day and the one after it."""
        day = date_of(_typed(value), _order(column))
        return day.isoformat(), (day + timedelta(days=1)).isoformat()


class DateTime(Moment):
    """An instant to the second, from 1900 to 2199, stored in UTC as 2026-12-31T10:00:00Z."""

    name, label, icon, editor = "datetime", "Date and time", "schedule", "datetime"
    form = Form.INSTANT
    width = 136
    takes: ClassVar[tuple[Rule, ...]] = (
        REQUIRED,
        UNIQUE,
        Rule("min", "Earliest", "datetime"),
        Rule("max", "Latest", "datetime"),
        ORDER,
        ZONE,
    )

    def plain_reader(self, column: ColumnLike) -> Callable[[str], str]:
        order, zone = _order(column), clock_of(column)

        def read(text: str) -> str:
            return _utc(instant_of(one_line(text), zone, order))

        return read

    def converter(
        self, source: ColumnType[Any], old: ColumnLike, new: ColumnLike, references: References
    ) -> Callable[[Any], str | None]:
        """A day becomes its first moment by the new column's clock."""
        if source.form is not Form.DAY:
            return super().converter(source, old, new, references)
        clock, read = clock_of(new), self.parser(new, references)
        return lambda value: read(_first_moment(date.fromisoformat(value), clock))

    def contains(self, text: str, cell: SqlCell, column: ColumnLike, references: References) -> SqlCondition:
        return shows_instant(cell, text, str(clock_of(column)))

    def operand(self, value: Any, column: ColumnLike, references: References) -> tuple[str, str]:
        """First moment and end of the day in the column's time zone; of a text with a time, of that second."""
        text, zone, order = _typed(value), clock_of(column), _order(column)
        if ":" in text:
            instant = instant_of(text, zone, order)
            return _utc(instant), _utc(instant + timedelta(seconds=1))
        day = date_of(text, order)
        return _first_moment(day, zone), _first_moment(day + timedelta(days=1), zone)


def _typed(value: Any) -> str:
    if not isinstance(value, str):
        raise expected(value, "a date as text, such as 2026-12-31")
    return one_line(value).strip()


def _order(column: ColumnLike) -> str | None:
    order = column.rules.get("date_order")
    return order if order in ORDERS else None


def _first_moment(day: date, zone: ZoneInfo) -> str:
    return _utc(datetime.combine(day, time(), zone).astimezone(UTC))


def _utc(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
