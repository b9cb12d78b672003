"""Sales columns: formulas that every pipeline can have, made of the columns that its settings name."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.permissions import Permission
from core.base.text import folded_key
from core.column_types.computed import MoneyFormula
from core.computed.definitions import FORMULA
from core.sheets.columns import NewColumn, add_columns


@dataclass(frozen=True)
class SalesColumn:
    """A column with its formula, in which {stage} and so on stand for the columns of the pipeline."""

    name: str
    description: str
    formula: str
    type: str = FORMULA


_CHANCE = "IF(ISBLANK({probability}), PROBABILITY({stage}), {probability})"
SALES_COLUMNS = (
    SalesColumn("Weighted amount", "The amount times its probability.", "{amount} * {chance}", MoneyFormula.name),
    SalesColumn("Age", "Days since the deal was created.", "TODAY() - {created}"),
    SalesColumn("Days in stage", "Days since the deal came to its stage.", "TODAY() - CHANGEDAT({stage})"),
    SalesColumn("Days since last change", "Days since a cell of the pipeline changed last.", "TODAY() - {last_change}"),
    SalesColumn("Close date moved", "How many times the close date was changed.", "CHANGECOUNT({close_date})"),
    SalesColumn(
        "Close date moved by", "Days from the first close date to this one.", "{close_date} - FIRSTVALUE({close_date})"
    ),
    SalesColumn(
        "Overdue", "Open, and the close date is over.", 'AND(STAGEKIND({stage}) = "open", {close_date} < TODAY())'
    ),
)


def missing_sales_columns(access: Access) -> list[NewColumn]:
    """Return the sales columns that the pipeline's columns allow and that the sheet has none of, by name."""
    columns = _pipeline_columns(access)
    shown_by = _shown_like_amount(access)
    names = {folded_key(column.name) for column in access.every_column}
    return [
        new
        for sales_column in SALES_COLUMNS
        if folded_key(sales_column.name) not in names and (new := _new_column(sales_column, columns, shown_by))
    ]


def add_sales_columns(session: Session, actor: Actor, sheet_id: int) -> list[ColumnInfo]:
    """Add the sales columns that a pipeline has none of yet. Raises Invalid where there are none to add."""
    access = get_access(session, actor, sheet_id, Permission.COLUMNS_EDIT)
    news = missing_sales_columns(access)
    if not news:
        raise Invalid("There are no sales columns to add: set up the pipeline, or it has them all.")
    return add_columns(session, actor, sheet_id, news)


def _pipeline_columns(access: Access) -> dict[str, str]:
    """The columns of the pipeline as formulas name them, and the parts that are made of several."""
    ids = {field: column_id for field, column_id in access.sheet.pipeline.items() if column_id in access.by_id}
    names = {field: f"{{#{column_id}}}" for field, column_id in ids.items()}
    if "stage" in names:
        chance = _CHANCE if "probability" in names else "PROBABILITY({stage})"
        names["chance"] = _filled(chance, names)
    moments = [f"CHANGEDAT({names[field]})" for field in ("stage", "amount", "close_date", "owner") if field in names]
    if moments:
        names["last_change"] = f"MAX({', '.join(moments)})"
    return names


def _shown_like_amount(access: Access) -> dict[str, Any]:
    """The rules by which the pipeline's amount is shown."""
    amount = access.by_id.get(access.sheet.pipeline.get("amount", 0))
    return {key: amount.rules[key] for key in ("currency", "decimals") if key in amount.rules} if amount else {}


def _new_column(sales_column: SalesColumn, columns: dict[str, str], shown_by: dict[str, Any]) -> NewColumn | None:
    """The column to add, or None where the pipeline has not all of its columns."""
    formula = _filled(sales_column.formula, columns)
    if "{" in formula.replace("{#", ""):
        return None
    rules = {"formula": formula} | (shown_by if sales_column.type == MoneyFormula.name else {})
    return NewColumn(sales_column.name, sales_column.type, rules, description=sales_column.description)


def _filled(formula: str, columns: dict[str, str]) -> str:
    for field, name in columns.items():
        formula = formula.replace(f"{{{field}}}", name)
    return formula
