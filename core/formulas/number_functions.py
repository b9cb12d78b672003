"""Functions of numbers, and the operators of arithmetic."""

from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from operator import add

from sqlalchemy import Numeric, and_, case, cast, func, literal, or_

from core.column_types.cell_sql import Sql
from core.formulas.date_functions import days_between, moved
from core.formulas.expressions import DECIMALS, Expression, Kind, Result, applied, reason
from core.formulas.functions import Moment, check_count, expected, function, operator, same_kind, special, whole
from core.formulas.syntax import Call, FormulaError

NUMBERS = "Numbers"
DIVISOR_IS_ZERO = "The divisor is 0."
NOT_POSITIVE = "A root of a negative number does not exist."
BAD_POWER = "The exponent is a whole number from -100 to 100, and 0 has no negative power."
TOO_LARGE = "The power is too large."
_LARGEST = Decimal(10) ** 30
N = Kind.NUMBER
Build = Sequence[Expression]


@operator("+", "-")
def plus_minus(node: Call, arguments: Build, moment: Moment) -> Expression:
    """Add and subtract numbers, days to a date, and dates from each other."""
    left, right = arguments
    kinds = {argument.kind for argument in arguments}
    if kinds & {Kind.DAY, Kind.INSTANT}:
        if node.function == "+" and right.kind in {Kind.DAY, Kind.INSTANT}:
            left, right = right, left
            places = (1, 0)
        else:
            places = (0, 1)
        day = expected(left, Kind.DAY, node, places[0], moment)
        if node.function == "-" and right.kind in {Kind.DAY, Kind.INSTANT}:
            other = expected(right, Kind.DAY, node, places[1], moment)
            return applied(N, days_between(day, other), [day, other])
        days = expected(right, N, node, places[1], moment)
        sign = days.value if node.function == "+" else -days.value
        return applied(Kind.DAY, moved(day.value + whole(sign, -200_000, 200_000)), [day, days])
    numbers = [expected(argument, N, node, place, moment) for place, argument in enumerate(arguments)]
    left, right = numbers
    value = left.value + right.value if node.function == "+" else left.value - right.value
    bound = None if left.bound is None or right.bound is None else left.bound + right.bound
    return applied(N, Result(value, in_value=1, bound=bound), numbers)


@operator("*")
def times(node: Call, arguments: Build, moment: Moment) -> Expression:
    """Multiply numbers."""
    numbers = [expected(argument, N, node, place, moment) for place, argument in enumerate(arguments)]
    left, right = numbers
    bound = None if left.bound is None or right.bound is None else left.bound * right.bound
    return applied(N, Result(left.value * right.value, in_value=1, bound=bound), numbers)


@operator("/")
def divided(node: Call, arguments: Build, moment: Moment) -> Expression:
    """Divide numbers, to ten decimals."""
    numbers = [expected(argument, N, node, place, moment) for place, argument in enumerate(arguments)]
    return applied(N, quotient(*numbers), numbers)


@operator("NEGATIVE", "POSITIVE")
def signed(node: Call, arguments: Build, moment: Moment) -> Expression:
    """Turn the sign of a number, or keep it."""
    number = expected(arguments[0], N, node, 0, moment)
    if number.constant is not None and node.function == "NEGATIVE":
        return Expression(N, literal(-number.constant, Numeric()), constant=-number.constant)
    return applied(N, Result(-number.value), [number]) if node.function == "NEGATIVE" else number


@operator("%")
def percentage(node: Call, arguments: Build, moment: Moment) -> Expression:
    """Divide a number by a hundred."""
    number = expected(arguments[0], N, node, 0, moment)
    return applied(N, Result(number.value * literal(Decimal("0.01"), Numeric()), bound=number.bound), [number])


@operator("^")
def power(node: Call, arguments: Build, moment: Moment) -> Expression:
    """Raise a number to a power."""
    numbers = [expected(argument, N, node, place, moment) for place, argument in enumerate(arguments)]
    return applied(N, _power(*numbers), numbers)


def quotient(dividend: Expression, divisor: Expression) -> Result:
    """Return the first number divided by the second."""
    if divisor.constant:
        bound = None if dividend.bound is None else dividend.bound / abs(divisor.constant) + 1
        value = func.round(dividend.value / divisor.value, DECIMALS, type_=Numeric())
        return Result(value, in_value=1, bound=bound)
    value = func.round(dividend.value / func.nullif(divisor.value, 0, type_=Numeric()), DECIMALS, type_=Numeric())
    return Result(value, reason(divisor.value == 0, DIVISOR_IS_ZERO))


def _power(base: Expression, exponent: Expression) -> Result:
    is_whole = and_(exponent.value == func.trunc(exponent.value), exponent.value.between(-100, 100))
    is_defined = and_(is_whole, or_(base.value != 0, exponent.value >= 0))
    # The number of digits before the decimals: of a large power it is known without writing it out.
    is_small = func.log(func.greatest(func.abs(base.value), 1)) * exponent.value < 30
    # PostgreSQL gives a power as many decimals as its base has, which are more than a cell can hold.
    exact_base = func.round(case((and_(is_defined, is_small), base.value)), 2 * DECIMALS, type_=Numeric())
    value = func.power(exact_base, exponent.value, type_=Numeric())
    error = case((and_(is_defined.is_(False)), BAD_POWER), (is_small.is_(False), TOO_LARGE))
    return Result(func.round(value, DECIMALS, type_=Numeric()), error, in_value=6, in_error=6)


@function(
    "ROUND(number, digits)",
    N,
    N,
    N,
    optional=1,
    group=NUMBERS,
    help="The number rounded to so many decimals; half goes away from 0. Without `digits` to a whole number.",
    example=("ROUND(2.345, 2)", "2.35"),
)
def round_(number: Expression, digits: Expression | None = None) -> Sql:
    return func.round(number.value, _places(digits), type_=Numeric())


@function(
    "ROUNDDOWN(number, digits)",
    N,
    N,
    N,
    optional=1,
    group=NUMBERS,
    help="The number without the further decimals.",
    example=("ROUNDDOWN(2.349, 2)", "2.34"),
)
def rounddown(number: Expression, digits: Expression | None = None) -> Sql:
    return func.trunc(number.value, _places(digits), type_=Numeric())


@function(
    "ROUNDUP(number, digits)",
    N,
    N,
    N,
    optional=1,
    group=NUMBERS,
    help="The number rounded away from 0.",
    example=("ROUNDUP(2.341, 2)", "2.35"),
)
def roundup(number: Expression, digits: Expression | None = None) -> Result:
    places = _places(digits)
    cut = func.trunc(number.value, places, type_=Numeric())
    step = func.sign(number.value) * func.power(literal(Decimal(10), Numeric()), -places, type_=Numeric())
    return Result(cut + case((number.value == cut, 0), else_=step), in_value=4)


@function(
    "INT(number)",
    N,
    N,
    group=NUMBERS,
    help="The next whole number below.",
    example=("INT(-2.5)", "-3"),
)
def int_(number: Expression) -> Sql:
    return func.floor(number.value, type_=Numeric())


@function(
    "CEILING(number, multiple)",
    N,
    N,
    N,
    optional=1,
    group=NUMBERS,
    help="The next multiple above; of 1 where none is named.",
    example=("CEILING(41, 5)", "45"),
)
def ceiling(number: Expression, multiple: Expression | None = None) -> Result:
    return _multiple(number, multiple, "ceil")


@function(
    "FLOOR(number, multiple)",
    N,
    N,
    N,
    optional=1,
    group=NUMBERS,
    help="The next multiple below; of 1 where none is named.",
    example=("FLOOR(44, 5)", "40"),
)
def floor(number: Expression, multiple: Expression | None = None) -> Result:
    return _multiple(number, multiple, "floor")


@function("ABS(number)", N, N, group=NUMBERS, help="The number without its sign.", example=("ABS(-5)", "5"))
def abs_(number: Expression) -> Sql:
    return func.abs(number.value, type_=Numeric())


@function(
    "SIGN(number)",
    N,
    N,
    group=NUMBERS,
    help="1 for a number above 0, -1 for one below 0, and 0 for 0.",
    example=("SIGN(-5)", "-1"),
)
def sign(number: Expression) -> Sql:
    return func.sign(number.value, type_=Numeric())


@function(
    "MOD(number, divisor)",
    N,
    N,
    N,
    group=NUMBERS,
    help="The rest of a division, with the sign of the divisor.",
    example=("MOD(-7, 3)", "2"),
)
def mod(number: Expression, divisor: Expression) -> Result:
    by = func.nullif(divisor.value, 0, type_=Numeric())
    rest = func.mod(func.mod(number.value, by) + by, by, type_=Numeric())
    return Result(rest, reason(divisor.value == 0, DIVISOR_IS_ZERO), in_value=3)


@function(
    "POWER(base, exponent)",
    N,
    N,
    N,
    group=NUMBERS,
    help="The base multiplied by itself; the exponent is a whole number. The same as `^`.",
    example=("POWER(2, 10)", "1024"),
)
def power_function(base: Expression, exponent: Expression) -> Result:
    return _power(base, exponent)


@function("SQRT(number)", N, N, group=NUMBERS, help="The square root.", example=("SQRT(16)", "4"))
def sqrt(number: Expression) -> Result:
    root = func.sqrt(case((number.value >= 0, number.value)), type_=Numeric())
    return Result(func.round(root, DECIMALS, type_=Numeric()), reason(number.value < 0, NOT_POSITIVE), in_value=2)


@function(
    "SUM(number, …)",
    N,
    N,
    repeats=True,
    group=NUMBERS,
    help="The sum; empty cells count as 0.",
    example=("SUM(1, BLANK(), 2)", "3"),
)
def sum_(*numbers: Expression) -> Result:
    return Result(reduce(add, [func.coalesce(number.value, 0, type_=Numeric()) for number in numbers]), is_strict=False)


@function(
    "AVERAGE(number, …)",
    N,
    N,
    repeats=True,
    group=NUMBERS,
    help="The average of those that are not empty; empty where all are.",
    example=("AVERAGE(1, BLANK(), 2)", "1.5"),
)
def average(*numbers: Expression) -> Result:
    total = reduce(add, [func.coalesce(number.value, 0, type_=Numeric()) for number in numbers])
    count = func.num_nonnulls(*[number.value for number in numbers])
    value = func.round(total / func.nullif(cast(count, Numeric), 0, type_=Numeric()), DECIMALS, type_=Numeric())
    return Result(value, in_value=2, is_strict=False)


@special(
    "MIN(value, …)",
    group=NUMBERS,
    help="The smallest number or the earliest date; empty cells do not count.",
    example=("MIN(3, BLANK(), 2)", "2"),
)
def min_(node: Call, arguments: Build, moment: Moment) -> Expression:
    return _extreme(node, arguments, moment, func.least)


@special(
    "MAX(value, …)",
    group=NUMBERS,
    help="The largest number or the latest date; empty cells do not count.",
    example=("MAX(3, BLANK(), 2)", "3"),
)
def max_(node: Call, arguments: Build, moment: Moment) -> Expression:
    return _extreme(node, arguments, moment, func.greatest)


def _extreme(node: Call, arguments: Build, moment: Moment, choose: "func") -> Expression:  # type: ignore[valid-type]
    check_count(node, arguments, 1, 50, f"{node.function}(value, …)")
    values = same_kind(arguments, node, node.arguments, moment)
    kind = values[0].kind
    if kind not in {N, Kind.DAY, Kind.INSTANT, Kind.EMPTY}:
        raise FormulaError(f"{node.function} takes numbers or dates, not {kind}.", node.arguments[0].at)
    value = choose(*[value.value for value in values], type_=values[0].value.type)  # type: ignore[misc]
    return applied(kind, Result(value, is_strict=False), values)


def _multiple(number: Expression, multiple: Expression | None, way: str) -> Result:
    if multiple is None:
        return Result(getattr(func, way)(number.value, type_=Numeric()))
    step = case((multiple.value > 0, multiple.value))
    value = getattr(func, way)(number.value / step, type_=Numeric()) * step
    return Result(value, reason(multiple.value <= 0, "The multiple is above 0."), in_value=4)


def _places(digits: Expression | None) -> Sql:
    return literal(0) if digits is None else whole(digits.value, -15, DECIMALS)
