"""Formula columns: the cell of a formula in SQL, with those of the columns that it uses."""

from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Boolean, Date, DateTime, Numeric, Text, bindparam, case, cast, func, literal, null
from sqlalchemy.dialects.postgresql import JSONB

from core.access.access import Access, ColumnInfo
from core.base.text import quoted
from core.column_types import column_type
from core.column_types.cell_sql import Sql, SqlCell
from core.column_types.traits import Form
from core.computed.column_facts import column_fact, first_cell
from core.computed.row_source import RowSource
from core.formulas.column_functions import FIRSTVALUE
from core.formulas.compiler import compiled
from core.formulas.expressions import (
    DAY_FORMAT,
    DECIMALS,
    INSTANT_FORMAT,
    Expression,
    Kind,
    converted,
    first_of,
    reason,
    sized,
    truth,
)
from core.formulas.functions import Moment
from core.formulas.syntax import Column, FormulaError, parsed
from core.formulas.text_functions import MAX_TEXT, TOO_LONG
from db.folding import fold

_HUNDREDTH = Decimal("0.01")
LARGEST = Decimal(10) ** 15
TOO_LARGE = "The number has more than 15 digits before the decimals."
KINDS = {
    Form.NUMBER: Kind.NUMBER,
    Form.MONEY: Kind.NUMBER,
    Form.PERCENT: Kind.NUMBER,
    Form.DAY: Kind.DAY,
    Form.INSTANT: Kind.INSTANT,
    Form.BOOLEAN: Kind.CONDITION,
    Form.TEXT: Kind.TEXT,
}
DEPENDS_ON_ITSELF = "{} depends on itself by this formula."


def formula_cell(column: ColumnInfo, access: Access, source: RowSource) -> SqlCell:
    """Return the cell of a formula column; of a formula that is not valid any more, the reason as an error."""
    try:
        expression = formula_value(column, access, source)
    except FormulaError as refusal:
        message = literal(refusal.message, Text())
        nothing = cast(null(), Text)
        failed = func.jsonb_build_object("error", message, type_=JSONB())
        return SqlCell(failed, nothing, cast(null(), Numeric), error=message)
    form, error, value = column_type(column.type).form, expression.error, expression.final
    typed: Sql | None = None
    text: Sql
    content: Sql
    match expression.kind:
        case Kind.NUMBER:
            shown = value * 100 if form is Form.PERCENT else value
            typed = shown
            trimmed = func.trim_scale(shown, type_=Numeric())
            text, content = cast(trimmed, Text), func.to_jsonb(trimmed)
        case Kind.DAY:
            text = func.to_char(value, DAY_FORMAT, type_=Text())
            content = func.to_jsonb(text)
        case Kind.INSTANT:
            text = func.to_char(func.timezone("UTC", value), INSTANT_FORMAT, type_=Text())
            content = func.to_jsonb(text)
        case Kind.CONDITION:
            held = truth(expression.value)
            held = held if error is None else case((error.is_(None), held))
            text, content = cast(held, Text), func.to_jsonb(held)
        case _:
            text, content = value, func.to_jsonb(value)
    if error is not None:
        failed = func.jsonb_build_object("error", error, type_=JSONB())
        content = case((error.is_(None), content), else_=failed)
    return SqlCell(content, text, typed, error=error)


def formula_value(column: ColumnInfo, access: Access, source: RowSource, users: tuple[int, ...] = ()) -> Expression:
    """Return the value of a formula column as its type shows it; `users` are the formulas that use it in turn.

    Raises FormulaError where the formula is not valid, or uses itself.
    """
    users = (*users, column.column_id)
    columns = {other.column_id: other for other in access.every_column}

    def column_of(name: Column) -> ColumnInfo:
        column_id = int(name.name.removeprefix("#"))
        if column_id in users:
            raise FormulaError(DEPENDS_ON_ITSELF.format(quoted(columns[column_id].name)))
        if column_id not in columns:
            raise FormulaError("A column that this formula uses is not in the sheet any more.")
        return columns[column_id]

    def value_of(name: Column) -> Expression:
        return column_value(column_of(name), access, source, users, name.at)

    def facts(function: str, name: Column) -> Expression:
        return fact_value(function, name, column_of(name), access, source)

    moment = Moment(access.today, access.time_zone)
    expression = compiled(parsed(column.rules.get("formula", "")), value_of, moment, facts)
    kind = KINDS[column_type(column.type).form]
    value = converted(expression, kind, access.time_zone) if expression.kind is Kind.EMPTY else expression
    if value is None or value.kind is not kind:
        raise FormulaError(f"This formula gives {expression.kind}; the column holds {kind}.")
    return _bounded(value, column)


def column_value(
    column: ColumnInfo, access: Access, source: RowSource, users: tuple[int, ...] = (), at: int | None = None
) -> Expression:
    """Return the cell of any column as a value of formulas. Raises FormulaError where it cannot be one."""
    kind = column_type(column.type)
    if "formula" in column.rules and column.is_computed:
        return formula_value(column, access, source, users)
    if kind.form not in KINDS:
        raise FormulaError(f"A column of the type {kind.label} cannot be used in a formula.", at)
    return _value_of_cell(source.cell(column, access), column, access)


def fact_value(function: str, place: Column, column: ColumnInfo, access: Access, source: RowSource) -> Expression:
    """Return the value of a function that takes a column. Raises FormulaError where the column has no such value."""
    if function == FIRSTVALUE and not column.is_computed and column_type(column.type).form in KINDS:
        return _value_of_cell(first_cell(column, access, source), column, access)
    return column_fact(function, place, column, access, source)


def _value_of_cell(cell: SqlCell, column: ColumnInfo, access: Access) -> Expression:
    """The value of a cell by the type of its column."""
    kind = column_type(column.type)
    folded: Sql | None = None
    ids: tuple[Sql, dict[str, str]] | None = None
    value: Sql
    match KINDS[kind.form]:
        case Kind.NUMBER:
            value = cell.number
            value = value * literal(_HUNDREDTH, Numeric()) if kind.form is Form.PERCENT else value
        case Kind.DAY:
            value = cast(cell.text, Date)
        case Kind.INSTANT:
            value = cast(cell.text, DateTime(timezone=True))
        case Kind.CONDITION:
            value = cast(cell.text == "true", Boolean)
        case _ if kind.ids_of is not None:
            labels = kind.labels(column, access.references)
            folded_labels = {identity: fold(label) for identity, label in labels.items()}
            value, folded, ids = _named(cell.text, labels), _named(cell.text, folded_labels), (cell.text, folded_labels)
        case _:
            value, folded = cell.text, cell.folded
    bound = LARGEST if KINDS[kind.form] is Kind.NUMBER else None
    error_size = 0 if cell.error is None else 2
    return Expression(
        KINDS[kind.form], value, cell.error, value_size=2, error_size=error_size, folded=folded, bound=bound, ids=ids
    )


def _bounded(value: Expression, column: ColumnInfo) -> Expression:
    """The value as the column shows it: a number rounded, a text not too long."""
    if value.kind is Kind.NUMBER:
        places = _decimals(column) + (2 if column_type(column.type).form is Form.PERCENT else 0)
        if value.bound is not None and value.bound <= LARGEST:
            return replace(value, value=func.round(value.value, places, type_=Numeric()), constant=None)
        is_small = value.value.between(literal(-LARGEST, Numeric()), literal(LARGEST, Numeric()))
        rounded = func.round(case((is_small, value.value)), places, type_=Numeric())
        too_large = reason(is_small.is_(False), TOO_LARGE)
        error = first_of([part for part in (value.error, too_large) if part is not None])
        sizes = 2 * value.value_size, value.error_size + value.value_size
        return sized(Expression(Kind.NUMBER, rounded, error, value.is_strict, None, *sizes, bound=LARGEST))
    if value.kind is Kind.TEXT:
        too_long = reason(func.length(value.value) > MAX_TEXT, TOO_LONG)
        error = first_of([part for part in (value.error, too_long) if part is not None])
        size = value.value_size + value.error_size
        return sized(Expression(Kind.TEXT, value.value, error, False, None, value.value_size, size))
    return value


def _decimals(column: ColumnInfo) -> int:
    kind = column_type(column.type)
    if "decimals" in column.rules or not kind.has_currency:
        return int(column.rules.get("decimals", DECIMALS))
    return int(kind.places(column))  # type: ignore[attr-defined]


def _named(text: Sql, names: dict[str, str]) -> Sql:
    """The name of the id in a cell: one look-up in a constant map."""
    by_id = bindparam(None, names, type_=JSONB, unique=True)
    return by_id.op("->>", return_type=Text())(text)
