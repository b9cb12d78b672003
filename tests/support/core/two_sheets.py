"""Two sheets of Ann's that a relation joins: accounts, and deals with their account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from core.access.load import get_access
from core.base.actor import Actor
from core.edits.batch import Batch, CellInput, Edit, NewRow, Outcome
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.rows.query import View
from core.rows.read import first_rows
from core.sheets.columns import NewColumn, add_column
from core.sheets.sheets import create_sheet

# Columns of the two templates.
NAME, CITY, OWNER, DEAL, AMOUNT = 1, 4, 7, 1, 4
Values = Mapping[int, Any]


@dataclass
class TwoSheets:
    """The ids of the sheets and of the columns that join them; rows are written and read as any person."""

    session: Session
    accounts: int
    deals: int
    account: int
    mirror: int

    def add(self, who: Actor, sheet: int, *rows: Values) -> list[int]:
        adds = tuple(
            NewRow(str(number), {column: CellInput(value=value) for column, value in row.items()})
            for number, row in enumerate(rows)
        )
        return [line["row"] for line in self._write(who, sheet, Batch(adds=adds)).added]

    def edit(self, who: Actor, sheet: int, row: int, column: int, value: Any, *, base: int | None = None) -> Outcome:
        return self._write(who, sheet, Batch(edits=(Edit(row, column, CellInput(value=value), base),)))

    def type(self, who: Actor, sheet: int, row: int, column: int, text: str) -> Outcome:
        return self._write(who, sheet, Batch(edits=(Edit(row, column, CellInput(text)),)))

    def delete(self, who: Actor, sheet: int, *rows: int) -> Outcome:
        return self._write(who, sheet, Batch(deletes=rows))

    def rows(self, who: Any, sheet: int, view: Mapping[str, Any] | None = None) -> dict[int, dict[str, Any]]:
        """Return the rows of a page as this person sees them, by id."""
        access = get_access(self.session, who, sheet)
        page = first_rows(self.session, access, View.from_json(dict(view or {})), limit=1000)
        return {row["id"]: row["values"] for row in page.rows}

    def cell(self, who: Any, sheet: int, row: int, column: int) -> Any:
        return self.rows(who, sheet)[row].get(str(column))

    def titles(self, who: Any, sheet: int, row: int, column: int) -> list[str]:
        return [related["title"] for related in self.cell(who, sheet, row, column) or ()]

    def _write(self, who: Actor, sheet: int, batch: Batch) -> Outcome:
        return write(self.session, who, sheet, batch, operation_id=uuid4(), source=ChangeSource.API)


def two_sheets(session: Session, owner: Actor, **rules: Any) -> TwoSheets:
    """Return accounts and deals of this person, with a relation from the deals."""
    accounts = create_sheet(session, owner, "Accounts", template="accounts").sheet.sheet_id
    deals = create_sheet(session, owner, "Deals", template="pipeline").sheet.sheet_id
    relation = add_column(session, owner, deals, NewColumn("Customer", "relation", {"sheet": accounts, **rules}))
    return TwoSheets(session, accounts, deals, relation.column_id, relation.rules["mirror"])
