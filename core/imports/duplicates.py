"""Duplicates: the unique columns of an import, checked as sets within the file and against the sheet."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Integer, Text, column, func, select, table
from sqlalchemy.dialects.postgresql import JSONB

from core.base.errors import Invalid
from core.column_types.conditions import cell_of
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
    for one in columns:
        if not one.target.rules.get("unique"):
            continue
        mine = folded(_STAGED.c["values"].op("->>", return_type=Text())(one.key))
        twice = select(mine, func.count()).where(mine.is_not(None)).group_by(mine).having(func.count() > 1)
        _refuse(one, operation.session.execute(twice.limit(_SHOWN)).all(), "more than once in the file")
        guesses.allow()
        theirs = cell_of(Row.values.expression, int(one.key), folded=Row.folded.expression).folded
        there = select(mine, Row.row_id).join(Row, theirs == mine).where(operation.access.row_gate.every_row())
        if found := operation.session.execute(there.limit(guesses.most_named)).all():
            guesses.tell()
            _refuse(one, found, "in the sheet already")


def _refuse(one: FileColumn, found: Sequence[Any], where: str) -> None:
    if not found:
        return
    values = ", ".join(f"“{str(value)[:60]}”" for value, _ in found)
    raise Invalid(
        f"“{one.plan.name}” must be unique, and {values} {'is' if len(found) == 1 else 'are'} {where}. "
        "Nothing was imported.",
        column=one.plan.name,
        values=[value for value, _ in found],
    )
