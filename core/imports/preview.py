"""Preview: what an import would write, and what does not fit, before anything is written."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from core.access.access import Access
from core.base.errors import Invalid
from core.base.spreadsheet_text import escape_formula, unescape_formula
from core.column_types import column_type
from core.column_types.base import NO_REFERENCES, References
from core.imports.inspection import Inspection
from core.imports.plan_types import ImportPlan, OnMisfit
from core.imports.read import FileColumn, FileReader, Misfits, Progress, columns_for, refuses
from core.imports.records import blocks

_FIRST_NEW = 1_000_000
_REPORTED = 100_000


@dataclass
class Check:
    """The outcome of a plan: the rows that it would add, and the misfits of each column that has any."""

    rows: int
    misfits: list[Misfits] = field(default_factory=list)
    refusal: str | None = None

    @property
    def fits(self) -> bool:
        return self.refusal is None


def check(
    file: BinaryIO,
    plan: ImportPlan,
    access: Access | None = None,
    *,
    references: References = NO_REFERENCES,
    progress: Progress | None = None,
) -> Check:
    """Read the whole file by the plan and write nothing. Raises Invalid where the plan itself is not valid."""
    columns = columns_for(access, plan, _FIRST_NEW, references)
    reading = FileReader(file, plan, columns)
    rows = sum(len(parts) for parts in reading.rows(progress))
    outcome = Check(rows, [column.misfits for column in columns if column.misfits.count])
    try:
        reading.refuse_misfits()
    except Invalid as refusal:
        outcome.refusal = refusal.message
    return outcome


def refusing(plan: ImportPlan, outcome: Check, access: Access | None = None) -> list[str]:
    """Return the names of the columns whose misfits still refuse the file."""
    with_misfits = {column.source for column in outcome.misfits}
    by_id = access.by_id if access else {}
    return [
        column.name
        for column in plan.taken
        if column.source in with_misfits
        and refuses(column, required=column.column is not None and bool(by_id[column.column].rules.get("required")))
    ]


def preview(
    inspection: Inspection, plan: ImportPlan, access: Access | None = None, *, references: References = NO_REFERENCES
) -> list[dict[str, str]]:
    """The first rows as they will be: column name → canonical text; a value that does not fit is marked with ⚠."""
    references = access.references if access else references
    columns = columns_for(access, plan, _FIRST_NEW, references)
    return [
        {_name(access, column): _shown(column, record[column.plan.source], references) for column in columns}
        for record in inspection.first
    ]


def refused_lines(
    file: BinaryIO, plan: ImportPlan, access: Access | None = None, *, references: References = NO_REFERENCES
) -> str:
    """Return a CSV of the lines with misfits, with line and reason in front; its formulas are escaped."""
    columns = columns_for(access, plan, _FIRST_NEW, references)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Line", "Reason", *(escape_formula(column.name) for column in plan.columns)])
    for number, line in enumerate(_refused(file, plan, columns)):
        if number >= _REPORTED:
            break
        writer.writerow(line)
    return out.getvalue()


def _refused(file: BinaryIO, plan: ImportPlan, columns: list[FileColumn]) -> Iterator[list[str]]:
    for block in blocks(file, plan.format):
        for line, record in zip(block.lines, block.filled, strict=True):
            reasons = [reason for column in columns if (reason := _reason(column, record))]
            if reasons:
                yield [
                    str(line),
                    escape_formula(" ".join(reasons)),
                    *(escape_formula(unescape_formula(text)) for text in record),
                ]


def _reason(column: FileColumn, record: list[str]) -> str:
    text = record[column.plan.source] if column.plan.source < len(record) else ""
    _ = column[text]
    return f"{column.plan.name}: {column.bad[text]}" if text in column.bad else ""


def _name(access: Access | None, column: FileColumn) -> str:
    if column.plan.new:
        return column.plan.new.name
    return access.column(int(column.key)).name if access else column.plan.name


def _shown(column: FileColumn, text: str, references: References) -> str:
    try:
        value = column.value(text)
    except Invalid:
        return "" if column.plan.on_misfit is OnMisfit.EMPTY and not column.required else f"⚠ {text}"
    kind = column_type(column.target.type)
    return "" if value is None else kind.text(value, column.target, references)
