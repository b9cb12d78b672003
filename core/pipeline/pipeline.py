"""What makes a sheet a pipeline: which columns are its stage, amount, dates and people, and what they mean in SQL."""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Date, Numeric, Subquery, case, cast, func, literal, null, select

from core.access.access import Access, ColumnInfo
from core.base.errors import Invalid
from core.column_types import column_type
from core.column_types.base import Option
from core.column_types.conditions import Cell
from core.rows.query import Condition, View, conditions, view_origin
from core.rows.row_source import ADDED, ROWS, Origin

OPEN, WON, LOST = "open", "won", "lost"


@dataclass(frozen=True)
class Pipeline:
    """A pipeline sheet: the columns that play a part in it. Those that were not chosen, or are hidden, are None."""

    access: Access
    stage: ColumnInfo
    amount: ColumnInfo | None
    close_date: ColumnInfo | None
    created: ColumnInfo | None
    owner: ColumnInfo | None
    probability: ColumnInfo | None
    account: ColumnInfo | None
    uncounted: ColumnInfo | None = field(default=None, kw_only=True)  # Amounts of which nobody knows the currency.
    origin: Origin = field(default=ROWS, kw_only=True)

    def reading(self, view: View, *more: ColumnInfo) -> "Pipeline":
        """The same pipeline, its deals taken from where they are quickest to count if `more` is asked of them."""
        parts = (self.stage, self.amount, self.close_date, self.created, self.probability)
        named = [part for part in parts if part is not None]
        return replace(self, origin=view_origin(self.access, view, *named, *more))

    def cell(self, column: ColumnInfo) -> Cell:
        """A column's cell of a deal in SQL."""
        return self.origin.cell(column)

    @property
    def stages(self) -> tuple[Option, ...]:
        """The stages in their order, retired ones among them: deals may still stand there."""
        return self.stage.options

    def stage_ids(self, kind: str) -> list[str]:
        """The stages of a kind. A stage that says nothing is open."""
        return [option.id for option in self.stages if (option.kind or OPEN) == kind]

    # --- in SQL; a deal without a stage counts as open, with no probability

    @property
    def stage_sql(self) -> ColumnElement[str]:
        return self.cell(self.stage).text

    @property
    def kind_sql(self) -> ColumnElement[str]:
        """'open', 'won' or 'lost'."""
        closed = [(self.stage_sql.in_(ids), literal(kind)) for kind in (WON, LOST) if (ids := self.stage_ids(kind))]
        return case(*closed, else_=literal(OPEN)) if closed else literal(OPEN)

    @property
    def amount_sql(self) -> ColumnElement[Decimal]:
        """The amount; nothing where the cell is empty."""
        return self.cell(self.amount).number if self.amount else cast(null(), Numeric)

    @property
    def probability_sql(self) -> ColumnElement[Decimal]:
        """In percent: the deal's own probability where it has one, else its stage's."""
        known = {option.id: option.probability or 0 for option in self.stages}
        by_stage = case(known, value=self.stage_sql, else_=0) if known else literal(0)
        own = self.cell(self.probability).number if self.probability else cast(null(), Numeric)
        return func.coalesce(own, cast(by_stage, Numeric))

    @property
    def weighted_sql(self) -> ColumnElement[Decimal]:
        """Amount × probability."""
        return self.amount_sql * self.probability_sql / 100

    @property
    def close_sql(self) -> ColumnElement[date]:
        return self._date(self.close_date)

    @property
    def created_sql(self) -> ColumnElement[date]:
        return self._date(self.created)

    @property
    def begun(self) -> ColumnInfo:
        """What says when a deal began: its own date, else the day on which its row was added."""
        return self.created or ADDED

    def deals(self, view: View, **more: ColumnElement[Any]) -> Subquery:
        """The deals of a view with kind, amount, weighted amount and close date, for counting.

        The offset keeps PostgreSQL from taking the cells out of the row again for each figure: a third of the time.
        """
        cells: dict[str, ColumnElement[Any]] = {
            "kind": self.kind_sql,
            "amount": self.amount_sql,
            "weighted": self.weighted_sql,
            "close": self.close_sql,
        }
        taken = [value.label(name) for name, value in (cells | more).items()]
        taken_from = select(*taken).select_from(self.origin.table)
        return taken_from.where(conditions(self.access, view, self.origin)).offset(0).subquery()

    def _date(self, column: ColumnInfo | None) -> ColumnElement[date]:
        return cast(self.cell(column).text, Date) if column else cast(null(), Date)

    # --- as conditions of a view, so that whatever is counted can be opened in the grid

    def is_open(self) -> list[Condition]:
        closed = [*self.stage_ids(WON), *self.stage_ids(LOST)]
        return [Condition(self.stage.column_id, "is_none_of", closed)] if closed else []

    def is_closed_as(self, kind: str) -> list[Condition]:
        return [Condition(self.stage.column_id, "is_any_of", self.stage_ids(kind))]


def get_pipeline(access: Access) -> Pipeline:
    """The sheet as a pipeline. Raises Invalid, with the way out, where it is a plain table."""
    parts = {part: access.by_id.get(column_id) for part, column_id in access.sheet.pipeline.items()}
    stage = parts.get("stage")
    if stage is None:
        raise Invalid("This sheet is a plain table. Choose its stage column in the sheet's settings to see it charted.")
    amount = parts.get("amount")
    has_currency = amount is not None and column_type(amount.type).has_currency
    uncounted = amount if amount and has_currency and not amount.rules.get("currency") else None
    others = ("close_date", "created", "owner", "probability", "account")
    known = None if uncounted else amount
    return Pipeline(access, stage, known, *[parts.get(part) for part in others], uncounted=uncounted)
