"""Functions of a column rather than of its value: what a stage means, and the history of a cell."""

from collections.abc import Callable, Sequence

from core.formulas.expressions import Expression
from core.formulas.functions import FUNCTIONS, Function, Moment
from core.formulas.syntax import Call, Column, FormulaError

STAGES, HISTORY = "Stages", "History of a cell"
PROBABILITY, STAGEKIND = "PROBABILITY", "STAGEKIND"
CHANGEDAT, CHANGECOUNT, FIRSTVALUE = "CHANGEDAT", "CHANGECOUNT", "FIRSTVALUE"
# Gives the value of such a function for a column.
Facts = Callable[[str, Column], Expression]
_HELP = {
    PROBABILITY: (STAGES, "The probability of the stage in the cell, 0.2 for 20 %.", "PROBABILITY({Stage})", "0.2"),
    STAGEKIND: (STAGES, "Whether the stage in the cell is open, won or lost.", "STAGEKIND({Stage})", "open"),
    CHANGEDAT: (
        HISTORY,
        "When the cell got its value; where nobody has changed it, when the row was added.",
        "TODAY() - CHANGEDAT({Stage})",
        "0",
    ),
    CHANGECOUNT: (
        HISTORY,
        "How many times the cell was changed from one value to another.",
        "CHANGECOUNT({Expected close})",
        "1",
    ),
    FIRSTVALUE: (
        HISTORY,
        "The first value that the cell had.",
        "{Expected close} - FIRSTVALUE({Expected close})",
        "30",
    ),
}


def _without_column(node: Call, arguments: Sequence[Expression], moment: Moment) -> Expression:  # noqa: ARG001 - as all.
    raise FormulaError(f"{node.function} takes a column in brackets.", node.at)


FUNCTIONS.update(
    (name, Function(name, group, f"{name}(column)", text, example, result, _without_column))
    for name, (group, text, example, result) in _HELP.items()
)
COLUMN_FUNCTIONS = frozenset(_HELP)


def of_column(node: Call, facts: Facts | None) -> Expression:
    """Return the value of a function that takes a column. Raises FormulaError where it has none."""
    if len(node.arguments) != 1 or not isinstance(node.arguments[0], Column) or facts is None:
        raise FormulaError(f"{node.function} takes a column in brackets, such as {{Stage}}, and nothing else.", node.at)
    return facts(node.function, node.arguments[0])
