"""Conversion of a column's cells to another type: what each different value becomes, and which do not convert."""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.access.row_gate import scope_sql
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.exact_json import Value, dumps, loads_stored, to_wire
from core.base.permissions import Permission
from core.column_types import column_type
from core.column_types.base import Option
from core.edits.unique import unique_key
from core.sheets.column_rules import checked_options, checked_rules
from core.sheets.column_types import carried_rules, check_new_type
from core.sheets.columns import NewColumn, with_currency
from core.sheets.defaults import checked_default

MAX_EXAMPLES = 50


class Misfits(StrEnum):
    """What becomes of cells that do not convert: nothing is changed, or a new column keeps them or all old values."""

    REFUSE = "refuse"
    BESIDE = "beside"
    COPY = "copy"


@dataclass(frozen=True)
class NewType:
    """A type for a column. Without rules it keeps those that mean the same, without options they are made of the cells.

    `name` is the name of the column that keeps old values, if `misfits` asks for one.
    """

    type: str
    rules: dict[str, Any] | None = None
    options: tuple[Option, ...] | None = None
    misfits: Misfits = Misfits.REFUSE
    name: str = ""


@dataclass(frozen=True)
class Example:
    """A text of the column in `count` cells, with the text that it becomes, or the reason why it does not convert."""

    before: str
    count: int
    after: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Preview:
    """What a change of type would do: how many cells convert and how many do not, examples, and new options."""

    converted: int
    misfits: int
    examples: list[Example]
    misfit_examples: list[Example]
    options: list[str]


@dataclass
class Conversion:
    """The new column, and what each different cell of the old one becomes, by its JSON text.

    `counts` says how many rows have a cell, `live_counts` how many of these are not in the trash.
    """

    old: ColumnInfo
    new: ColumnInfo
    counts: dict[str, int]
    live_counts: dict[str, int]
    values: dict[str, Value | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def converted_count(self) -> int:
        return sum(self.counts[cell] for cell in self.values)

    @property
    def misfit_count(self) -> int:
        return sum(self.counts[cell] for cell in self.reasons)


def preview_type(session: Session, actor: Actor, sheet_id: int, column_id: int, new: NewType) -> Preview:
    """Return what a change of type would do, without changing anything. Raises Invalid where the type can't be had."""
    access = _access(session, actor, sheet_id)
    conversion = plan_conversion(session, access, access.column(column_id), new)
    converted = (cell for cell, value in conversion.values.items() if value is not None)
    is_new = not column_type(conversion.old.type).has_options
    return Preview(
        conversion.converted_count,
        conversion.misfit_count,
        _examples(access, conversion, converted),
        _examples(access, conversion, conversion.reasons),
        [option.label for option in conversion.new.options if is_new],
    )


def _examples(access: Access, conversion: Conversion, cells: Iterable[str]) -> list[Example]:
    """Return the most frequent of these cells."""
    old, new, counts = conversion.old, conversion.new, conversion.counts
    frequent = heapq.nsmallest(MAX_EXAMPLES, cells, key=lambda cell: (-counts[cell], cell))
    examples = []
    for cell in frequent:
        value = conversion.values.get(cell)
        after = "" if value is None else column_type(new.type).text(value, new, access.references)
        reason = conversion.reasons.get(cell, "")
        examples.append(Example(text_of(access, old, cell), counts[cell], after, reason))
    return examples


def plan_conversion(session: Session, access: Access, column: ColumnInfo, new: NewType) -> Conversion:
    """Return the conversion of a column. Raises Invalid where it can't have the type, or the rules or options."""
    source, kind = column_type(column.type), column_type(new.type)
    check_new_type(access, column, kind)
    counts, live_counts = cells_of(session, access, column)
    if new.rules is None:
        rules = carried_rules(source, kind, column.rules)
        rules = with_currency(NewColumn(column.name, kind.name, rules), access.currency).rules
    else:
        rules = new.rules
    options = new.options
    if options is None:
        texts = (text_of(access, column, cell) for cell in counts)
        options = column.options if source.has_options and kind.has_options else tuple(kind.options_for(texts))
    used_ids = column.earlier_option_ids - {option.id for option in column.options}
    options = tuple(replace(option, id="") if option.id in used_ids else option for option in options)
    changed = replace(
        column,
        type=kind.name,
        rules=checked_rules(kind, rules),
        options=tuple(checked_options(kind, options, used_ids=used_ids)),
    )
    changed = replace(changed, default_value=_converted_default(access, column, changed))
    conversion = convert_cells(access, column, changed, counts, live_counts)
    if changed.rules.get("unique"):
        _refuse_duplicates(conversion)
    return conversion


def convert_cells(
    access: Access, old: ColumnInfo, new: ColumnInfo, counts: dict[str, int], live_counts: dict[str, int]
) -> Conversion:
    """Return what each of these cells becomes in a new column."""
    kind = column_type(new.type)
    convert = kind.converter(column_type(old.type), old, new, access.references)
    conversion = Conversion(old, new, counts, live_counts)
    for cell in counts:
        try:
            conversion.values[cell] = convert(loads_stored(cell))
        except Invalid as refusal:
            conversion.reasons[cell] = refusal.message
    return conversion


def _converted_default(access: Access, old: ColumnInfo, new: ColumnInfo) -> dict[str, Any] | None:
    """Return the default in the new type; None where it has none."""
    default = old.default_value
    try:
        if default and "value" in default:
            stored = column_type(old.type).check(default["value"], old, access.references)
            convert = column_type(new.type).converter(column_type(old.type), old, new, access.references)
            default = {"value": to_wire(convert(stored))}
        return checked_default(replace(new, default_value=default), access.references)
    except Invalid:
        return None


def cells_of(
    session: Session, access: Access, column: ColumnInfo, *, since: int = 0
) -> tuple[dict[str, int], dict[str, int]]:
    """Return each different cell of a column as JSON text with its number of rows, and of rows that are not deleted.

    With `since` only cells that were changed after that version. Deleted rows count, because they can be restored.
    """
    parameters = access.row_gate.parameters() | {"key": column.key, "since": since}
    cells = session.execute(_CELLS, parameters).all()
    return {cell: count for cell, count, _ in cells}, {cell: live for cell, _, live in cells}


def text_of(access: Access, column: ColumnInfo, cell: str) -> str:
    """Return the text of a cell by which it converts."""
    return column_type(column.type).exchange_text(loads_stored(cell), column, access.references)


def patches_of(conversion: Conversion, kept: Mapping[str, Value], keeper: ColumnInfo | None) -> dict[str, str]:
    """Return what changes in the rows with a cell, by its JSON text: the new value, and what another column keeps."""
    patches: dict[str, str] = {}
    for cell in conversion.counts:
        value = conversion.values.get(cell)
        patch: dict[str, Value | None] = {}
        if value is None or dumps(value) != cell:
            patch[conversion.new.key] = value
        if keeper and cell in kept:
            patch[keeper.key] = kept[cell]
        if patch:
            patches[cell] = dumps(patch)
    return patches


def _access(session: Session, actor: Actor, sheet_id: int) -> Access:
    return get_access(session, actor, sheet_id, Permission.COLUMNS_EDIT)


def _refuse_duplicates(conversion: Conversion) -> None:
    counts = Counter[str]()
    for cell, value in conversion.values.items():
        if value is not None:
            counts[unique_key(value)] += conversion.live_counts[cell]
    if twice := [key for key, count in counts.items() if count > 1]:
        raise Invalid(
            f"“{conversion.new.name}” must be unique, and {len(twice):,} values would occur more than once, such as "
            f"“{twice[0][:80]}”. Change these rows first, or turn the rule off."
        )


# A cell that never changed has the version of its row.
CHANGED_SINCE = "coalesce(CAST(r.versions ->> CAST(:key AS text) AS bigint), r.created_version) > :since"
_CELLS = text(f"""
    SELECT CAST(cell AS text), count(*), count(*) FILTER (WHERE is_live)
    FROM (SELECT r.values -> CAST(:key AS text) AS cell, r.deleted_version IS NULL AS is_live FROM rows r
          WHERE {scope_sql("r")} AND r.values ? CAST(:key AS text) AND (:since = 0 OR {CHANGED_SINCE})) cells
    GROUP BY cell
""")  # noqa: S608 - the gate of core.access.
