"""Functions of dates. A date and time counts as its day in the time zone of the workspace."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import Date, Integer, Numeric, and_, case, cast, extract, func, literal

from core.column_types.cell_sql import Sql
from core.formulas.expressions import Expression, Kind, Result, applied, literal_of, reason
from core.formulas.functions import Moment, check_count, expected, function, special, whole
from core.formulas.syntax import Call, FormulaError

DATES = "Dates"
FIRST, LAST = date(1900, 1, 1), date(2199, 12, 31)
OUT_OF_RANGE = "The date is not between 1900 and 2199."
NOT_A_DATE = "There is no such date."
UNITS = ("days", "weeks", "months", "years")
N, D = Kind.NUMBER, Kind.DAY
MONTHS = 4_000


@special("TODAY()", group=DATES, help="The day on which the cell is read.", example=("TODAY() - TODAY()", "0"))
def today(node: Call, arguments: Sequence[Expression], moment: Moment) -> Expression:
    check_count(node, arguments, 0, 0, "TODAY()")
    return literal_of(moment.today, D)


@function(
    "DATE(year, month, day)",
    D,
    N,
    N,
    N,
    group=DATES,
    help="A date. A 13th month is the first of the next year, day 0 the last of the month before.",
    example=("DATE(2026, 12, 31)", "2026-12-31"),
)
def date_(year: Expression, month: Expression, day: Expression) -> Result:
    first = func.make_date(whole(year.value, 1800, 2300), 1, 1)
    months = func.make_interval(0, whole(month.value, -MONTHS, MONTHS) - 1)
    return moved(cast(first + months, Date) + whole(day.value, -200_000, 200_000) - 1)


@function("YEAR(date)", N, D, group=DATES, help="The year.", example=("YEAR(DATE(2026, 12, 31))", "2026"))
def year(day: Expression) -> Sql:
    return _part("year", day)


@function(
    "QUARTER(date)",
    N,
    D,
    group=DATES,
    help="The quarter of the calendar year.",
    example=("QUARTER(DATE(2026, 12, 31))", "4"),
)
def quarter(day: Expression) -> Sql:
    return _part("quarter", day)


@function("MONTH(date)", N, D, group=DATES, help="The month.", example=("MONTH(DATE(2026, 12, 31))", "12"))
def month(day: Expression) -> Sql:
    return _part("month", day)


@function("DAY(date)", N, D, group=DATES, help="The day of the month.", example=("DAY(DATE(2026, 12, 31))", "31"))
def day_(day: Expression) -> Sql:
    return _part("day", day)


@function(
    "WEEKDAY(date, type)",
    N,
    D,
    N,
    optional=1,
    group=DATES,
    help="The day of the week: Sunday is 1, with type 2 Monday is 1.",
    example=("WEEKDAY(DATE(2026, 12, 31), 2)", "4"),
)
def weekday(day: Expression, way: Expression | None = None) -> Result:
    from_monday = _part("isodow", day)
    from_sunday = func.mod(from_monday, 7, type_=Numeric()) + 1
    value = from_sunday if way is None else case((way.value == 2, from_monday), (way.value == 1, from_sunday))
    error = None if way is None else reason(and_(way.value != 1, way.value != 2), "The type is 1 or 2.")
    return Result(value, error, in_value=2)


@function(
    "ISOWEEKNUM(date)",
    N,
    D,
    group=DATES,
    help="The number of the week by ISO 8601.",
    example=("ISOWEEKNUM(DATE(2026, 12, 31))", "53"),
)
def isoweeknum(day: Expression) -> Sql:
    return _part("week", day)


@function(
    "DAYS(end, start)",
    N,
    D,
    D,
    group=DATES,
    help="The days from start to end. The same as `end - start`.",
    example=("DAYS(DATE(2026, 3, 1), DATE(2026, 2, 1))", "28"),
)
def days(end: Expression, start: Expression) -> Result:
    return days_between(end, start)


@function(
    "EDATE(date, months)",
    D,
    D,
    N,
    group=DATES,
    help="The date so many months later; of the 31st the last day of a shorter month.",
    example=("EDATE(DATE(2026, 1, 31), 1)", "2026-02-28"),
)
def edate(day: Expression, months: Expression) -> Result:
    return moved(_later(day.value, whole(months.value, -MONTHS, MONTHS)))


@function(
    "EOMONTH(date, months)",
    D,
    D,
    N,
    group=DATES,
    help="The last day of the month, so many months later.",
    example=("EOMONTH(DATE(2026, 1, 15), 1)", "2026-02-28"),
)
def eomonth(day: Expression, months: Expression) -> Result:
    first = cast(func.date_trunc("month", cast(day.value, Date)), Date)
    return moved(_later(first, whole(months.value, -MONTHS, MONTHS) + 1) - 1)


@special(
    "DATEADD(date, count, unit)",
    group=DATES,
    help='The date so many "days", "weeks", "months" or "years" later.',
    example=('DATEADD(DATE(2026, 1, 31), 2, "weeks")', "2026-02-14"),
)
def dateadd(node: Call, arguments: Sequence[Expression], moment: Moment) -> Expression:
    check_count(node, arguments, 3, 3, "DATEADD(date, count, unit)")
    day, count = expected(arguments[0], D, node, 0, moment), expected(arguments[1], N, node, 1, moment)
    unit = _unit(arguments[2].constant)
    if unit is None:
        raise FormulaError(f"The unit is one of: {', '.join(UNITS)}, in quotation marks.", node.arguments[2].at)
    if unit in {"days", "weeks"}:
        factor = 7 if unit == "weeks" else 1
        later = day.value + whole(count.value, -200_000, 200_000) * factor
    else:
        factor = 12 if unit == "years" else 1
        later = _later(day.value, whole(count.value, -MONTHS, MONTHS) * factor)
    return applied(D, moved(later), [day, count])


@function(
    "WORKDAYS(start, end)",
    N,
    D,
    D,
    group=DATES,
    help="The days from Monday to Friday between two dates, both counted. NETWORKDAYS is the same.",
    example=("WORKDAYS(DATE(2026, 12, 24), DATE(2026, 12, 31))", "6"),
)
def workdays(start: Expression, end: Expression) -> Result:
    forward = _workdays_before(end.value + 1) - _workdays_before(start.value)
    backward = _workdays_before(start.value + 1) - _workdays_before(end.value)
    value = cast(case((end.value >= start.value, forward), (end.value < start.value, -backward)), Numeric)
    return Result(value, in_value=8)


def moved(day: Sql) -> Result:
    """Return a date that was computed, or the reason where no column could hold it."""
    is_possible = day.between(literal(FIRST, Date), literal(LAST, Date))
    return Result(case((is_possible, day)), reason(~is_possible, OUT_OF_RANGE), in_value=2)


def days_between(end: Expression, start: Expression) -> Result:
    """Return the days from the second date to the first."""
    return Result(cast(cast(end.value - start.value, Integer), Numeric), in_value=1, bound=Decimal(200_000))


def _later(day: Sql, months: Sql) -> Sql:
    return cast(day + func.make_interval(0, months), Date)


def _part(name: str, day: Expression) -> Sql:
    return cast(extract(name, cast(day.value, Date)), Numeric)


def _unit(constant: object) -> str | None:
    text = str(constant).lower() if isinstance(constant, str) else ""
    return next((unit for unit in UNITS if text in {unit, unit[:-1]}), None)


def _workdays_before(day: Sql) -> Sql:
    """Return how many days from Monday to Friday are before this one, counted from a Monday."""
    number = cast(day - literal(FIRST, Date), Integer)
    return number // 7 * 5 + func.least(number % 7, 5)
