"""Duplicates: the unique columns of an import, checked as sets within the file and against the sheet."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Integer, Text, column, func, select, table
from sqlalchemy.dialects.postgresql import JSONB

from core.base.errors import Invalid
from core.column_types.cell_sql import cell_of
from core.edits.operation import WriteOperation
from core.edits.value_guesses import Guesses
from core.imports.read import FileColumn
from db.folding import folded
from db.tables.sheets import Row

_STAGED = table("staged_rows", column("place", Integer), column("values", JSONB))
_SHOWN = 5


def refuse_duplicates(operation: WriteOperation, columns: Iterable[FileColumn]) -> None:
    """Raise Invalid where a value of a unique column occurs twice in the file, or stands in the sheet already."""
    guesses = Guesses(operation.session, operation.access)
    for file_column in columns:
        if not file_column.target.rules.get("unique"):
            continue
        staged_value = folded(_STAGED.c["values"].op("->>", return_type=Text())(file_column.key))
        twice = (
            select(staged_value, func.count())
            .where(staged_value.is_not(None))
            .group_by(staged_value)
            .having(func.count() > 1)
        )
        _refuse(file_column, operation.session.execute(twice.limit(_SHOWN)).all(), "more than once in the file")
        guesses.allow()
        row_value = cell_of(Row.values.expression, int(file_column.key), folded=Row.folded.expression).folded
        in_sheet = (
            select(staged_value, Row.row_id)
            .join(Row, row_value == staged_value)
            .where(operation.access.row_gate.every_row())
        )
        if duplicates := operation.session.execute(in_sheet.limit(guesses.max_revealed)).all():
            guesses.count_revealed()
            _refuse(file_column, duplicates, "in the sheet already")


def _refuse(file_column: FileColumn, duplicates: Sequence[Any], where: str) -> None:
    if not duplicates:
        return
    values = ", ".join(f"“{str(value)[:60]}”" for value, _ in duplicates)
    raise Invalid(
        f"“{file_column.plan.name}” must be unique, and {values} {'is' if len(duplicates) == 1 else 'are'} {where}. "
        "Nothing was imported.",
        column=file_column.plan.name,
        values=[value for value, _ in duplicates],
    )
