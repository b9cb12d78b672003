"""The trash: deleted rows with all their cells and history, and how they are restored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Integer, Text, and_, any_, func, literal, select, tuple_
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.exact_json import Value, Wire, dumps, loads_stored, to_wire
from core.base.permissions import Permission
from core.base.text import clean
from core.edits.batch import Outcome
from core.edits.operation import Answer, ChangeSource, RowChanges, WriteOperation, carry_out, request_digest
from core.edits.unique import row_label, rows_holding, unique_key
from core.edits.value_guesses import Guesses
from core.history.history import UNKNOWN_AUTHOR, row_title
from core.rows.projection import Projection, projection
from core.rows.query import MAX_SEARCH, searched
from db.tables.sheets import Change, Row, User

PAGE = 50
MAX_LISTED = 1000
MAX_RESTORED = 10_000
MAX_COUNTED = 10_000
DOES_NOT_FIT = "Row {} stays in the trash: it does not fit into the sheet as it is now. Ask the sheet's owner."
NOT_TRIED = "Row {} stays in the trash: another row of this request does, and this one was not tried."
IN_TRASH = Row.deleted_version.is_not(None)


@dataclass(frozen=True)
class TrashedRow:
    """A row in the trash: the cells that this person may see, and who deleted it when, at which version.

    `values` are the cells as they are stored, `wire` as they travel.
    """

    row: int
    title: str
    values: dict[str, Value]
    wire: dict[str, Wire]
    version: int
    by: str
    deleted_at: datetime


def trash(
    session: Session,
    actor: Actor,
    sheet_id: int,
    *,
    search: str = "",
    before: tuple[int, int] | None = None,
    limit: int = PAGE,
) -> list[TrashedRow]:
    """Return the deleted rows that contain a text, latest deletion first; `before` continues after (version, row)."""
    access = get_access(session, actor, sheet_id, Permission.HISTORY_SEE)
    text = clean(search)
    if len(text) > MAX_SEARCH:
        raise Invalid(f"A text to search for has at most {MAX_SEARCH} characters.")
    position = tuple_(Row.deleted_version, Row.row_id)
    conditions = ([searched(access, text)] if text else []) + ([position < before] if before else [])
    projected = projection(access)
    statement = (
        select(Row.row_id, projected.sql(), Row.deleted_version, User.name, Change.recorded_at)
        .join(Change, _deletion())
        .join(User, User.user_id == Change.actor_id, isouter=True)
        .where(access.row_gate.rows_in_scope(), IN_TRASH, *conditions)
        .order_by(Row.deleted_version.desc(), Row.row_id.desc())
        .limit(min(limit, MAX_LISTED))
    )
    return [_trashed(access, projected, row) for row in session.execute(statement)]


def trash_size(session: Session, access: Access) -> int:
    """How many rows are in the trash; at most MAX_COUNTED are counted."""
    access.require(Permission.HISTORY_SEE)
    some = (
        select(literal(1))
        .select_from(Row)
        .where(access.row_gate.rows_in_scope(), IN_TRASH)
        .limit(MAX_COUNTED)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(some)) or 0


def restore_rows(
    session: Session,
    actor: Actor,
    sheet_id: int,
    rows: Sequence[int],
    *,
    operation_id: UUID,
    partial: bool = False,
) -> Outcome:
    """Take rows out of the trash as one version of the sheet, as they were.

    A row whose unique value another row has by now is refused; one that is not in the trash is reported as gone. With
    `partial` the rest is restored and the outcome names them; without, Invalid or NotFound is raised and nothing is
    written. An operation_id is carried out once, and each copy of the request gets the first answer.
    """
    row_ids = _row_ids(rows)

    def decide(operation: WriteOperation) -> Answer:
        outcome = restorable(session, operation.access, row_ids)
        if not partial:
            outcome.raise_first()
        return operation.finish(
            RowChanges(edits={}, restores=outcome.restored),
            lambda version: replace(outcome, version=version).as_json(),
        )

    answer = carry_out(
        session,
        actor,
        sheet_id,
        decide,
        operation_id=operation_id,
        source=ChangeSource.RESTORE,
        request=request_digest("restore", row_ids),
        needs=[Permission.ROWS_DELETE],
    )
    return Outcome.from_json(answer)


def _deletion() -> ColumnElement[bool]:
    """The line of the log by which a row went to the trash."""
    return and_(
        Change.sheet_id == Row.sheet_id,
        Change.version == Row.deleted_version,
        Change.row_id == Row.row_id,
        Change.column_id == 0,
    )


def _trashed(access: Access, projected: Projection, row: Any) -> TrashedRow:
    row_id, cells, version, by, deleted_at = row
    values = projected.stored(cells)
    first = values.get(projected.title_key)
    title = row_title(access, row_id, None if first is None else dumps(first))
    return TrashedRow(row_id, title, values, projected.wire(cells), version, by or UNKNOWN_AUTHOR, deleted_at)


def _row_ids(rows: Sequence[int]) -> list[int]:
    row_ids = list(dict.fromkeys(rows))
    if not row_ids:
        raise Invalid("There is nothing to restore: name the rows.")
    if len(row_ids) > MAX_RESTORED:
        raise Invalid(f"At most {MAX_RESTORED:,} rows are restored at once, and these are {len(row_ids):,}.")
    return row_ids


def restorable(
    session: Session,
    access: Access,
    row_ids: Sequence[int],
    *,
    edits: Mapping[tuple[int, int], Value | None] | None = None,
) -> Outcome:
    """Return which rows can be restored beside edits {(row, column): value} of that version, and why others cannot."""
    outcome = Outcome(version=access.sheet.version)
    has_id = Row.row_id == any_(literal([*row_ids], ARRAY(Integer)))
    # Of every column: a unique value clashes whether this person sees it or not.
    statement = select(Row.row_id, Row.values.cast(Text)).where(access.row_gate.rows_in_scope(), IN_TRASH, has_id)
    rows = {row: loads_stored(values) for row, values in session.execute(statement)}
    missing = [row for row in row_ids if row not in rows]
    outcome.gone = [{"row": row, "column": None, "reason": f"Row {row} is not in the trash."} for row in missing]
    clashes = _Clashes(session, access, rows, edits or {})
    for row in row_ids:
        if row in rows and not (refused := list(clashes.of(row))):
            outcome.restored.append(row)
        elif row in rows:
            outcome.refused += refused
    return outcome


class _Clashes:
    """The unique values of rows to restore, compared with the sheet's rows and with each other."""

    def __init__(
        self,
        session: Session,
        access: Access,
        rows: Mapping[int, Mapping[str, Value]],
        edits: Mapping[tuple[int, int], Value | None],
    ) -> None:
        self._access, self._rows = access, rows
        self._taken: list[tuple[ColumnInfo, dict[str, int]]] = []
        self._guesses = Guesses(session, access)
        for column in access.every_column:
            if column.rules.get("unique"):
                self._guesses.allow()
                row_values = {unique_key(values[column.key]) for values in rows.values() if column.key in values}
                edited = {row: value for (row, column_id), value in edits.items() if column_id == column.column_id}
                owners = rows_holding(session, access, column, row_values, leaving=edited)
                owners |= {unique_key(value): row for row, value in edited.items() if value is not None}
                self._taken.append((column, owners))
        self._unseen = self._guesses.unseen({row for _, owners in self._taken for row in owners.values()})

    def of(self, row: int) -> Iterator[dict[str, Any]]:
        """Yield the refusals of this row. Where there are none, its unique values count as taken from now on."""
        values = self._rows[row]
        unique_values = [(column, owners, values[column.key]) for column, owners in self._taken if column.key in values]
        clashing = [
            (column, value, owners[unique_key(value)])
            for column, owners, value in unique_values
            if unique_key(value) in owners
        ]
        if unique_values and self._guesses.has_revealed:
            yield {"row": row, "column": None, "given": None, "reason": NOT_TRIED.format(row)}
            return
        if any(owner in self._unseen for _, _, owner in clashing):
            self._guesses.count_revealed()
        for column, value, owner in clashing[: self._guesses.max_revealed]:
            yield self._refusal(row, column, value, owner)
        if not clashing:
            for _, owners, value in unique_values:
                owners[unique_key(value)] = row

    def _refusal(self, row: int, column: ColumnInfo, value: Value, owner: int) -> dict[str, Any]:
        """Return a refusal; for a column that this person does not see it only says that the row cannot be restored."""
        if column.column_id not in self._access.by_id:
            return {"row": row, "column": None, "given": None, "reason": DOES_NOT_FIT.format(row)}
        where = row_label(self._access, owner)
        reason = f"Row {row} stays in the trash: “{column.name}” must be unique, and {where} has this value."
        return {"row": row, "column": column.column_id, "given": to_wire(value), "reason": reason}
