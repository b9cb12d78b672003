"""What holds of the table and the change log whatever has happened: the promises, written once."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row

from tests.support.narrow import APART

Values = dict[str, Any]


class Line(NamedTuple):
    """One line of the change log."""

    sheet: int
    version: int
    row: int
    column: int
    kind: str
    old: Any
    new: Any
    actor: int
    batch: str


class Row(NamedTuple):
    """One row as the table has it."""

    sheet: int
    row: int
    values: Values
    versions: dict[str, int]
    is_deleted: bool


@dataclass
class Log:
    """The change log in its order, and what the tables say beside it."""

    lines: list[Line]
    rows: list[Row]
    versions: dict[int, int]  # Per sheet.
    operations: list[tuple[int, str, int]]  # Sheet, operation and the version that it wrote.
    apart: list[tuple[int, int]]  # Sheet and row where the narrow row says something else than the row.


def read_log(url: str) -> Log:
    """Everything in one snapshot, so that it may also be read while people edit."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        lines = connection.cursor(row_factory=class_row(Line)).execute(_LINES).fetchall()
        rows = connection.cursor(row_factory=class_row(Row)).execute(_ROWS).fetchall()
        versions: dict[int, int] = dict(connection.execute("SELECT sheet_id, version FROM sheets").fetchall())
        apart = connection.execute(APART).fetchall()
        return Log(lines, rows, versions, connection.execute(_OPERATIONS).fetchall(), apart)


def broken(log: Log) -> list[str]:
    """A sentence for each promise that does not hold: chains of values, the table, versions and operations."""
    narrow = [f"the narrow row {row} of sheet {sheet} is not what the row says" for sheet, row in log.apart]
    return [*_torn(log), *_gaps(log), *_doubled(log), *narrow]


def _torn(log: Log) -> list[str]:
    """Lines that do not go on from the line before, and rows that are not what their lines say."""
    found, told = [], dict[tuple[int, int], Row]()
    for line in log.lines:
        before = told.get((line.sheet, line.row))
        if not _goes_on(before, line):
            found.append(f"version {line.version} of sheet {line.sheet} does not go on from the row {line.row} before")
        told[line.sheet, line.row] = _after(before, line)
    table = {(row.sheet, row.row): row for row in log.rows}
    differing = sorted(key for key in told.keys() | table.keys() if told.get(key) != table.get(key))
    return found + [f"row {row} of sheet {sheet} is not what the log says" for sheet, row in differing]


def _goes_on(before: Row | None, line: Line) -> bool:
    if before is None:
        return line.kind == "add"
    if line.kind == "edit":
        return bool(before.values.get(str(line.column)) == line.old)
    if line.kind == "remove":
        return not before.is_deleted and bool(before.values == line.old)
    return line.kind == "restore" and before.is_deleted and bool(before.values == line.new)


def _after(before: Row | None, line: Line) -> Row:
    """The row once this line has happened."""
    if before is None:
        values = line.new if line.kind == "add" else {}
        return Row(line.sheet, line.row, values, {}, is_deleted=False)
    if line.kind != "edit":
        return before._replace(is_deleted=line.kind == "remove")
    column = str(line.column)
    values = {name: value for name, value in before.values.items() if name != column}
    if line.new is not None:
        values[column] = line.new
    return before._replace(values=values, versions=before.versions | {column: line.version})


def _gaps(log: Log) -> list[str]:
    """Versions of a sheet that no line accounts for."""
    seen: dict[int, set[int]] = defaultdict(set)
    for line in log.lines:
        seen[line.sheet].add(line.version)
    wrong = (sheet for sheet, version in log.versions.items() if seen[sheet] != set(range(1, version + 1)))
    return [f"the versions of sheet {sheet} are not 1 to {log.versions[sheet]} in the log" for sheet in sorted(wrong)]


def _doubled(log: Log) -> list[str]:
    """Operations that wrote more than one version, and versions that are of more than one operation."""
    pairs = {(line.sheet, line.batch, line.version) for line in log.lines}
    by_version: dict[tuple[int, int], set[str]] = defaultdict(set)
    by_operation: dict[tuple[int, str], set[int]] = defaultdict(set)
    for sheet, batch, version in pairs:
        by_version[sheet, version].add(batch)
        by_operation[sheet, batch].add(version)
    twice = [f"operation {batch} wrote {sorted(found)}" for (_, batch), found in by_operation.items() if len(found) > 1]
    shared = [
        f"version {version} of sheet {sheet} is shared" for (sheet, version), by in by_version.items() if len(by) > 1
    ]
    unlogged = [
        f"operation {batch} is not in the log"
        for sheet, batch, version in log.operations
        if (sheet, batch, version) not in pairs
    ]
    return twice + shared + unlogged


_LINES = """
    SELECT sheet_id AS sheet, version, row_id AS row, column_id AS column, kind, old, new, actor_id AS actor,
           batch::text AS batch
    FROM changes ORDER BY sheet_id, version, row_id, column_id DESC
"""
_ROWS = """
    SELECT sheet_id AS sheet, row_id AS row, values, versions, deleted_version IS NOT NULL AS is_deleted FROM rows
"""
_OPERATIONS = "SELECT sheet_id, operation_id::text, version FROM operations WHERE version IS NOT NULL"
