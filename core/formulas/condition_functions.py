"""Functions of conditions, and the operators of comparison. A condition is true or false and never empty."""

from collections.abc import Sequence
from operator import ge, gt, le, lt

from sqlalchemy import ARRAY, Text, and_, any_, case, func, literal, not_, or_

from core.column_types.cell_sql import Sql
from core.formulas.expressions import Expression, Kind, Result, applied, empty, sized, truth
from core.formulas.functions import Moment, check_count, expected, function, operator, same_kind, special
from core.formulas.syntax import Call, FormulaError
from core.formulas.text_functions import folded_of
from db.folding import fold

CONDITIONS = "Conditions"
C = Kind.CONDITION
_ORDERS = {"<": lt, "<=": le, ">": gt, ">=": ge}


@operator("=", "<>", *_ORDERS)
def compared(node: Call, arguments: Sequence[Expression], moment: Moment) -> Expression:
    """Compare two values of one kind; an empty cell equals only another, and is neither smaller nor larger."""
    left, right = same_kind(arguments, node, node.arguments, moment)
    if node.function in _ORDERS:
        if left.kind is C:
            raise FormulaError("Conditions have no order; compare them by = or <>.", node.at)
        condition = _ORDERS[node.function](*map(_comparable, (left, right)))
    else:
        condition = _equal(left, right)
        condition = not_(condition) if node.function == "<>" else condition
    return applied(C, Result(condition, is_strict=False), [left, right])


@special(
    "IF(condition, then, else)",
    group=CONDITIONS,
    help="The one value where the condition holds, and the other where it does not; without the other, nothing.",
    example=('IF(2 > 1, "large", "small")', "large"),
)
def if_(node: Call, arguments: Sequence[Expression], moment: Moment) -> Expression:
    check_count(node, arguments, 2, 3, "IF(condition, then, else)")
    return _chosen(node, arguments, moment)


@special(
    "IFS(condition, value, …)",
    group=CONDITIONS,
    help="The value behind the first condition that holds. A single value at the end is for all other cases.",
    example=('IFS(1 > 2, "a", 2 > 1, "b")', "b"),
)
def ifs(node: Call, arguments: Sequence[Expression], moment: Moment) -> Expression:
    check_count(node, arguments, 2, 50, "IFS(condition, value, …)")
    return _chosen(node, arguments, moment)


@special(
    "SWITCH(value, case, result, …)",
    group=CONDITIONS,
    help="The result behind the case that equals the value. A single result at the end is for all other cases.",
    example=('SWITCH(2, 1, "one", 2, "two", "many")', "two"),
)
def switch(node: Call, arguments: Sequence[Expression], moment: Moment) -> Expression:
    check_count(node, arguments, 3, 50, "SWITCH(value, case, result, …)")
    pairs: list[Expression] = []
    rest = arguments[1:]
    places = node.arguments[1:]
    for index in range(0, len(rest) - 1, 2):
        equality = Call(node.at, "=", (node.arguments[0], places[index]))
        pairs += [compared(equality, [arguments[0], rest[index]], moment), rest[index + 1]]
    pairs += [rest[-1]] if len(rest) % 2 else []
    expanded = [place for index in range(0, len(rest) - 1, 2) for place in (places[index], places[index + 1])]
    expanded += [places[-1]] if len(rest) % 2 else []
    return _chosen(Call(node.at, node.function, tuple(expanded)), pairs, moment)


@function(
    "AND(condition, …)",
    C,
    C,
    repeats=True,
    group=CONDITIONS,
    help="Whether all conditions hold.",
    example=("AND(2 > 1, 3 > 4)", "FALSE"),
)
def and_function(*conditions: Expression) -> Result:
    return Result(and_(*[condition.value for condition in conditions]), is_strict=False)


@function(
    "OR(condition, …)",
    C,
    C,
    repeats=True,
    group=CONDITIONS,
    help="Whether one of the conditions holds.",
    example=("OR(2 > 1, 3 > 4)", "TRUE"),
)
def or_function(*conditions: Expression) -> Result:
    return Result(or_(*[condition.value for condition in conditions]), is_strict=False)


@function(
    "NOT(condition)",
    C,
    C,
    group=CONDITIONS,
    help="Whether the condition does not hold.",
    example=("NOT(1 > 2)", "TRUE"),
)
def not_function(condition: Expression) -> Result:
    return Result(not_(truth(condition.value)), is_strict=False)


@special("BLANK()", group=CONDITIONS, help="Nothing: an empty cell.", example=("ISBLANK(BLANK())", "TRUE"))
def blank(node: Call, arguments: Sequence[Expression], moment: Moment) -> Expression:  # noqa: ARG001 - as all.
    check_count(node, arguments, 0, 0, "BLANK()")
    return empty()


@special(
    "ISBLANK(value)",
    group=CONDITIONS,
    help="Whether the value is empty.",
    example=('ISBLANK("")', "TRUE"),
)
def isblank(node: Call, arguments: Sequence[Expression], moment: Moment) -> Expression:  # noqa: ARG001 - as all.
    check_count(node, arguments, 1, 1, "ISBLANK(value)")
    (value,) = arguments
    condition = literal(value=False) if value.kind is C else value.value.is_(None)
    return applied(C, Result(condition, is_strict=False), arguments)


@special(
    "ISERROR(value)",
    group=CONDITIONS,
    help="Whether the value has an error.",
    example=("ISERROR(1 / 0)", "TRUE"),
)
def iserror(node: Call, arguments: Sequence[Expression], moment: Moment) -> Expression:  # noqa: ARG001 - as all.
    check_count(node, arguments, 1, 1, "ISERROR(value)")
    (value,) = arguments
    condition = literal(value=False) if value.error is None else value.error.is_not(None)
    return sized(Expression(C, condition, value_size=1 + value.error_size))


@special(
    "IFERROR(value, otherwise)",
    group=CONDITIONS,
    help="The value, and the other one where it has an error.",
    example=("IFERROR(1 / 0, 0)", "0"),
)
def iferror(node: Call, arguments: Sequence[Expression], moment: Moment) -> Expression:
    check_count(node, arguments, 2, 2, "IFERROR(value, otherwise)")
    value, otherwise = same_kind(arguments, node, node.arguments, moment)
    if value.error is None:
        return value
    is_good = value.error.is_(None)
    return sized(
        Expression(
            value.kind,
            case((is_good, value.value), else_=otherwise.value),
            None if otherwise.error is None else case((value.error.is_not(None), otherwise.error)),
            is_strict=otherwise.is_strict,
            value_size=1 + value.error_size + value.value_size + otherwise.value_size,
            error_size=value.error_size + otherwise.error_size if otherwise.error is not None else 0,
        )
    )


def _chosen(node: Call, arguments: Sequence[Expression], moment: Moment) -> Expression:
    """Return the value behind the first condition that holds; of the others not even an error counts."""
    pairs = len(arguments) // 2
    conditions = [expected(arguments[2 * index], C, node, 2 * index, moment) for index in range(pairs)]
    places = [2 * index + 1 for index in range(pairs)] + ([len(arguments) - 1] if len(arguments) % 2 else [])
    values = same_kind(
        [arguments[place] for place in places], node, [node.arguments[place] for place in places], moment
    )
    otherwise = values[pairs] if len(values) > pairs else empty(values[0].kind)
    tests = [condition.value for condition in conditions]
    value = case(*zip(tests, [value.value for value in values[:pairs]], strict=True), else_=otherwise.value)
    errors = _errors(conditions, values[:pairs], otherwise)
    value_size = 1 + sum(part.value_size for part in (*conditions, *values))
    error_size = 0 if errors is None else value_size + sum(part.error_size for part in (*conditions, *values))
    strict = all(part.error is None for part in conditions) and all(part.is_strict for part in (*values, otherwise))
    bounds = [part.bound for part in values]
    bound = None if None in bounds else max(each for each in bounds if each is not None)
    sizes = value_size, error_size
    return sized(Expression(values[0].kind, value, errors, strict, None, *sizes, bound=bound))


def _errors(conditions: Sequence[Expression], values: Sequence[Expression], otherwise: Expression) -> Sql | None:
    """Return the error of the conditions up to the first that holds, and of its value."""
    if all(part.error is None for part in (*conditions, *values, otherwise)):
        return None
    nothing = empty(Kind.TEXT).value
    branches: list[tuple[Sql, Sql]] = []
    for condition, value in zip(conditions, values, strict=True):
        if condition.error is not None:
            branches.append((condition.error.is_not(None), condition.error))
        branches.append((condition.value, nothing if value.error is None else value.error))
    return case(*branches, else_=nothing if otherwise.error is None else otherwise.error)


def _equal(left: Expression, right: Expression) -> Sql:
    if left.kind is C:
        return truth(left.value) == truth(right.value)
    if left.kind is Kind.EMPTY:
        return literal(value=True)
    for choice, other in ((left, right), (right, left)):
        if choice.ids is not None and isinstance(other.constant, str):
            cell, folded_by_id = choice.ids
            ids = [identity for identity, label in folded_by_id.items() if label == fold(other.constant)]
            return func.coalesce(cell == any_(literal(ids, ARRAY(Text))), literal(value=False))
    first, second = _comparable(left), _comparable(right)
    if right.constant is not None:
        return func.coalesce(first == second, literal(value=False))
    return first.is_not_distinct_from(second)


def _comparable(value: Expression) -> Sql:
    return folded_of(value) if value.kind is Kind.TEXT else value.value
