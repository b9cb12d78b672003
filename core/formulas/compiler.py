"""The compiler: a formula's tree as a typed expression in SQL. Every value in it is a bound parameter."""

from collections.abc import Callable
from difflib import get_close_matches

from core.base.text import quoted
from core.formulas import condition_functions, date_functions, number_functions, text_functions
from core.formulas.column_functions import COLUMN_FUNCTIONS, Facts, of_column
from core.formulas.expressions import Expression, Kind, empty, literal_of
from core.formulas.functions import FUNCTIONS, OPERATORS, Moment
from core.formulas.syntax import Call, Column, FormulaError, Literal, Node

__all__ = ["FUNCTIONS", "compiled"]

# They register their functions when they are imported.
_REGISTERED = (condition_functions, date_functions, number_functions, text_functions)
ALIASES = {"NETWORKDAYS": "WORKDAYS", "CONCATENATE": "CONCAT"}


def compiled(
    node: Node, cell: Callable[[Column], Expression], moment: Moment, facts: Facts | None = None
) -> Expression:
    """Return the expression of a formula; `cell` gives that of a column, `facts` that of a function of a column.

    Raises FormulaError with the place.
    """
    if isinstance(node, Column):
        return cell(node)
    if isinstance(node, Literal):
        return _constant(node)
    if not isinstance(node, Call):
        message = f"{type(node).__name__} is not a part of a formula"
        raise TypeError(message)
    name = ALIASES.get(node.function, node.function)
    if name in COLUMN_FUNCTIONS:
        return of_column(node, facts)
    build = OPERATORS.get(name)
    if build is None:
        if name not in FUNCTIONS:
            raise FormulaError(f"There is no function {quoted(node.function)}.{_hint(name)}", node.at)
        build = FUNCTIONS[name].build
    return build(node, [compiled(argument, cell, moment, facts) for argument in node.arguments], moment)


def _constant(node: Literal) -> Expression:
    if isinstance(node.value, bool):
        return literal_of(node.value, Kind.CONDITION)
    if isinstance(node.value, str):
        return literal_of(node.value, Kind.TEXT) if node.value else empty(Kind.TEXT)
    return literal_of(node.value, Kind.NUMBER)


def _hint(name: str) -> str:
    similar = get_close_matches(name, FUNCTIONS, n=1)
    return f" Did you mean {similar[0]}?" if similar else ""
