"""The row gate: the condition under which a reader may know a row. Every statement over rows passes it.

A statement written as text names the condition with `scope_sql` or `visible_sql` and takes the gate's `parameters`; a
statement that SQLAlchemy composes takes `rows_in_scope` or `visible_rows`. A statement over two sheets passes two
gates: each has an alias of its own and, in text, a prefix of its own for its parameters.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, FromClause, Select, Text, and_, any_, inspect, literal
from sqlalchemy.orm.util import AliasedClass
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from core.base.errors import NotAllowed
from db.tables.sheets import Row, narrow_rows

# The table, or an alias of it.
Rows = type[Row] | AliasedClass[Row] | FromClause


@dataclass(frozen=True)
class RowGate:
    """Which rows of a sheet a reader may know: all of them, or those of some owners.

    `owners` are user ids as text; None: all rows. `owner_key` is the key of the value that says whose a row is, and
    `owner_slot` its column of the narrow rows; without an owner column a reader with `owners` knows no row.
    `is_past`: the rows come from core.rows.as_of, which has passed the gate already. `view_rows` has the ids of the
    rows that the view of a public link lets through; then a statement written as text is refused.
    """

    sheet_id: int
    owners: tuple[str, ...] | None
    owner_key: str | None
    owner_slot: str | None
    is_past: bool = False
    view_rows: Select[Any] | None = None

    def parameters(self, prefix: str = "") -> dict[str, Any]:
        """Return the parameters of `scope_sql` and `visible_sql` under a prefix. Raises NotAllowed: see `view_rows`."""
        if self.view_rows is not None:
            raise NotAllowed("A public link of a view does not allow this.")
        return {
            f"{prefix}sheet": self.sheet_id,
            f"{prefix}owner_key": self.owner_key,
            f"{prefix}owners": None if self.owners is None else [*self.owners],
        }

    def rows_in_scope(self, rows: Rows = Row) -> ColumnElement[bool]:
        """Return the condition that the reader may know a row, in the trash or not: for history and trash."""
        columns = _columns(rows)
        in_sheet: ColumnElement[bool] = columns["sheet_id"] == self.sheet_id
        if self.view_rows is not None:
            return and_(in_sheet, columns["row_id"].in_(self.view_rows))
        if self.owners is None or self.is_past:
            return in_sheet
        owner = columns["values"].op("->>", return_type=Text())(literal(self.owner_key, Text))
        return and_(in_sheet, _is_one_of(owner, self.owners))

    def visible_rows(self, rows: Rows = Row) -> ColumnElement[bool]:
        """Return the condition that the reader may see a row: it is in scope and not in the trash."""
        return and_(self.rows_in_scope(rows), _columns(rows)["deleted_version"].is_(None))

    def visible_narrow_rows(self, rows: FromClause = narrow_rows) -> ColumnElement[bool]:
        """Return the condition of `visible_rows` over the narrow rows, none of which is in the trash."""
        in_sheet = rows.c.sheet_id == self.sheet_id
        if self.view_rows is not None:
            return and_(in_sheet, rows.c.row_id.in_(self.view_rows))
        if self.owners is None:
            return in_sheet
        return and_(in_sheet, _is_one_of(rows.c[self.owner_slot or ""], self.owners))

    def every_row(self, rows: Rows = Row) -> ColumnElement[bool]:
        """Return the condition of all live rows, for checks of the whole sheet. Nothing that it reads is shown."""
        columns = _columns(rows)
        return and_(columns["sheet_id"] == self.sheet_id, columns["deleted_version"].is_(None))


def scope_sql(alias: str, prefix: str = "") -> str:
    """Return the condition of `RowGate.rows_in_scope` as text, over the table `rows` under an alias."""
    return f"""({alias}.sheet_id = :{prefix}sheet AND (CAST(:{prefix}owners AS text[]) IS NULL
        OR {alias}.values ->> CAST(:{prefix}owner_key AS text) = ANY(CAST(:{prefix}owners AS text[]))))"""


def visible_sql(alias: str, prefix: str = "") -> str:
    """Return the condition of `RowGate.visible_rows` as text, over the table `rows` under an alias."""
    return f"{scope_sql(alias, prefix)} AND {alias}.deleted_version IS NULL"


def _columns(rows: Rows) -> ReadOnlyColumnCollection[str, Any]:
    table: FromClause = rows if isinstance(rows, FromClause) else inspect(rows).selectable
    return table.c


def _is_one_of(cell: ColumnElement[Any], owners: tuple[str, ...]) -> ColumnElement[bool]:
    return cell == any_(literal([*owners], ARRAY(Text)))
