"""Each function does what its help says: its example has the result that the documentation shows."""

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.formulas.column_functions import COLUMN_FUNCTIONS
from core.formulas.compiler import FUNCTIONS, compiled
from core.formulas.expressions import as_text
from core.formulas.functions import Function, Moment
from core.formulas.syntax import Column, parsed

MOMENT = Moment(date(2026, 11, 30), "UTC")


def no_column(column: Column) -> None:
    raise AssertionError(column)


def evaluated(session: Session, formula: str) -> tuple[str | None, str | None]:
    """The value of a formula without columns, as text, and its error."""
    expression = as_text(compiled(parsed(formula), no_column, MOMENT))  # type: ignore[arg-type]
    error = expression.error if expression.error is not None else None
    row = session.execute(select(expression.final, *([] if error is None else [error]))).one()
    return row[0], row[1] if error is not None else None


VALUES = {name: function for name, function in FUNCTIONS.items() if name not in COLUMN_FUNCTIONS}


@pytest.mark.parametrize("function", VALUES.values(), ids=VALUES)
def test_the_example_of_a_function_has_its_result(session: Session, function: Function) -> None:
    assert evaluated(session, function.example) == (function.result or None, None)
