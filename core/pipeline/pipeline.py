"""What makes a sheet a pipeline: which columns are its stage, amount, dates and people."""

from dataclasses import dataclass, field

from core.access.access import Access, ColumnInfo
from core.base.errors import Invalid
from core.column_types import column_type
from core.column_types.base import Option
from core.rows.filter_tree import Condition
from core.rows.row_source import ADDED

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

    @property
    def stages(self) -> tuple[Option, ...]:
        """The stages in their order, retired ones among them: deals may still stand there."""
        return self.stage.options

    def stage_ids(self, kind: str) -> list[str]:
        """The stages of a kind. A stage that says nothing is open."""
        return [option.id for option in self.stages if (option.kind or OPEN) == kind]

    def kind_of(self, stage: str | None) -> str:
        """Return whether a stage is open, won or lost. A deal without a stage is open."""
        return next((option.kind or OPEN for option in self.stages if option.id == stage), OPEN)

    @property
    def begun(self) -> ColumnInfo:
        """The column with the day on which a deal began: the chosen one, else the day on which its row was added."""
        return self.created or ADDED

    def is_open(self) -> list[Condition]:
        """Return the conditions of a view of open deals."""
        closed = [*self.stage_ids(WON), *self.stage_ids(LOST)]
        return [Condition(self.stage.column_id, "is_none_of", closed)] if closed else []

    def is_won(self) -> list[Condition]:
        """Return the conditions of a view of won deals."""
        return [Condition(self.stage.column_id, "is_any_of", self.stage_ids(WON))]


def get_pipeline(access: Access) -> Pipeline:
    """The sheet as a pipeline. Raises Invalid, with the way out, where it is a plain table."""
    columns = {role: access.by_id.get(column_id) for role, column_id in access.sheet.pipeline.items()}
    stage = columns.get("stage")
    if stage is None:
        raise Invalid("This sheet is a plain table. Choose its stage column in the sheet's settings to see it charted.")
    amount = columns.get("amount")
    has_currency = amount is not None and column_type(amount.type).has_currency
    uncounted = amount if amount and has_currency and not amount.rules.get("currency") else None
    others = ("close_date", "created", "owner", "probability", "account")
    counted = None if uncounted else amount
    return Pipeline(access, stage, counted, *[columns.get(name) for name in others], uncounted=uncounted)
