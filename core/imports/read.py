"""Reading: the texts of a file as stored values, column by column, in bulk; what does not fit is kept with its line."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from core.access.access import Access
from core.base.errors import Invalid
from core.base.exact_json import Value, dumps
from core.base.spreadsheet_text import unescape_formula
from core.column_types import column_type
from core.column_types.base import NO_REFERENCES, ColumnLike, References
from core.imports.plan import draft, with_labels
from core.imports.plan_types import ColumnPlan, ImportPlan, OnMisfit
from core.imports.records import Block, blocks
from core.sheets.columns import NewColumn

Progress = Callable[[int, int], None]
_REMEMBERED = 100_000
_LISTED = 1_000
_EMPTY = ""
_PLAIN_RULES = {"required", "unique"}
_MAX_PLAIN_LENGTH = 250
# Numbers that every column of numbers reads the same, and that need only lose the zeros at their end.
_PLAIN_NUMBER = re.compile(r"(?:0|-?[1-9][0-9]{0,14})(\.[0-9]{1,2})?", re.ASCII)
_NUMBER_RULES = _PLAIN_RULES | {"number_format", "currency"}


@dataclass(frozen=True)
class Misfit:
    """A value that its column cannot take."""

    line: int
    text: str
    reason: str


@dataclass
class Misfits:
    """The misfits of one column of the file: how many, and the first of them."""

    source: int
    name: str
    count: int = 0
    listed: list[Misfit] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "name": self.name,
            "count": self.count,
            "first": [vars(misfit) for misfit in self.listed[:20]],
        }


class FileColumn(dict[str, str]):
    """A column of the file on its way into the sheet: text → its part of the row's JSON, empty for an empty cell.

    A text that cannot be read stands in `bad` with the reason. A text that was read once is remembered.
    """

    def __init__(self, plan: ColumnPlan, key: str, target: ColumnLike, references: References) -> None:
        super().__init__()
        self.plan = plan
        self.target = target
        self.key = key
        self.prefix = f',"{key}":'
        self.required = bool(target.rules.get("required"))
        self.bad: dict[str, str] = {}
        self.misfits = Misfits(plan.source, plan.name)
        self._parse = column_type(target.type).parser(target, references)
        self._quick = _quick(target)

    def __missing__(self, text: str) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        row_part = self[text] = self._part(text)
        return row_part

    def value(self, text: str) -> Value | None:
        """The value of a text. Raises Invalid."""
        value: Value | None = self._parse(unescape_formula(text))
        if value is None and self.required:
            raise Invalid(f"“{self.plan.name}” must not be empty.")
        return value

    def _part(self, text: str) -> str:
        if self._quick and (json := self._quick(text)):
            return self.prefix + json
        try:
            value = self.value(text)
        except Invalid as refusal:
            self.bad[text] = refusal.message
            return _EMPTY
        # A backslash is doubled because COPY reads one as the beginning of an escape.
        return _EMPTY if value is None else self.prefix + dumps(value).replace("\\", "\\\\")


class FileReader:
    """A file being read by a plan."""

    def __init__(self, file: BinaryIO, plan: ImportPlan, columns: list[FileColumn]) -> None:
        self.file = file
        self.plan = plan
        self.columns = columns
        self.width = len(plan.columns)
        self.emptied = 0
        self.left_out: list[int] = []

    def rows(self, progress: Progress | None = None) -> Iterator[list[str]]:
        """Blocks of rows as JSON objects without their braces, every column's misfits counted on the way."""
        done = 0
        for block in blocks(self.file, self.plan.format):
            parts = self._read(block)
            done += len(block.filled)
            if progress:
                progress(done, self.plan.rows)
            yield parts

    def _read(self, block: Block) -> list[str]:
        _refuse_wider(block, self.width)
        texts = block.columns(self.width)
        left_out: set[int] = set()
        cells = []
        for column in self.columns:
            column_texts = texts[column.plan.source]
            cells.append(list(map(column.__getitem__, column_texts)))
            if column.bad:
                left_out |= self._misfits(block, column, column_texts)
        rows = list(map(_EMPTY.join, zip(*cells, strict=True))) if cells else []
        if not left_out:
            return rows
        self.left_out += [block.lines[index] for index in sorted(left_out)]
        return [row_json for index, row_json in enumerate(rows) if index not in left_out]

    def _misfits(self, block: Block, column: FileColumn, texts: tuple[str, ...]) -> set[int]:
        """Count and list the misfits of a block; return the indexes of the rows that are left out because of them."""
        indexes = [index for index, text in enumerate(texts) if text in column.bad]
        misfits = column.misfits
        misfits.count += len(indexes)
        for index in indexes[: _LISTED - len(misfits.listed)]:
            misfits.listed.append(Misfit(block.lines[index], texts[index], column.bad[texts[index]]))
        if column.plan.on_misfit is OnMisfit.EMPTY:
            self.emptied += len(indexes)
        return set(indexes) if column.plan.on_misfit is OnMisfit.SKIP else set()

    def refuse_misfits(self) -> None:
        """Raise Invalid where a value does not fit and the plan does not say what becomes of it."""
        refused = [
            column for column in self.columns if column.misfits.count and refuses(column.plan, required=column.required)
        ]
        if not refused:
            return
        first = refused[0].misfits
        count = sum(column.misfits.count for column in refused)
        raise Invalid(
            f"{count:,} {'value does' if count == 1 else 'values do'} not fit; nothing was imported. "
            f"“{first.name}”, line {first.listed[0].line:,}: {first.listed[0].reason}",
            misfits=[column.misfits.as_json() for column in refused],
        )


def columns_for(
    access: Access | None, plan: ImportPlan, first_new: int, references: References = NO_REFERENCES
) -> list[FileColumn]:
    """The columns of a plan ready to read; new ones get the ids from `first_new` on. Raises Invalid and NotFound."""
    if not plan.taken:
        raise Invalid("Every column of the file is left out: choose at least one to import.")
    references = access.references if access else references
    new_ids = iter(range(first_new, first_new + len(plan.columns)))
    columns = [_column(access, column_plan, new_ids, references) for column_plan in plan.taken]
    _refuse_doubled(columns)
    if access:
        _refuse_without_required(access, plan)
    return columns


def _column(access: Access | None, plan: ColumnPlan, new_ids: Iterator[int], references: References) -> FileColumn:
    if plan.new:
        return FileColumn(plan, str(next(new_ids)), draft(plan.new, plan.reading, plan.new.options), references)
    if access is None:
        raise Invalid("A new sheet has no columns yet: make new ones.")
    column = access.column(plan.column or 0)
    if column.is_computed:
        raise Invalid(f"“{column.name}” is computed: leave this column of the file out.")
    if not access.may_write(column):
        raise Invalid(f"“{column.name}” is read-only for you: leave this column of the file out.")
    options = with_labels(column, plan.labels) if plan.labels else column.options
    return FileColumn(plan, column.key, draft(column, plan.reading, options), references)


def _refuse_doubled(columns: list[FileColumn]) -> None:
    targets: Mapping[str, str] = {}
    for column in columns:
        if other := targets.get(column.key):
            raise Invalid(
                f"“{other}” and “{column.plan.name}” both go into one column: choose another for one of them."
            )
        targets = {**targets, column.key: column.plan.name}


def _refuse_without_required(access: Access, plan: ImportPlan) -> None:
    targets = {column_plan.column for column_plan in plan.taken}
    for column in access.columns:
        if column.rules.get("required") and column.column_id not in targets:
            raise Invalid(
                f"“{column.name}” must not be empty in this sheet: choose the column of the file that fills it."
            )


def refuses(plan: ColumnPlan, *, required: bool) -> bool:
    """Whether a misfit refuses the file. Also where cells should be left empty, but the column must not be."""
    return plan.on_misfit is OnMisfit.REFUSE or (plan.on_misfit is OnMisfit.EMPTY and required)


def _refuse_wider(block: Block, width: int) -> None:
    if block.width(width) > width:
        index = next(index for index, record in enumerate(block.filled) if any(record[width:]))
        raise Invalid(f"Line {block.lines[index]:,} has more cells than there are columns: look at the file again.")


def _quick(target: ColumnLike) -> Callable[[str], str | None] | None:
    """A short cut to the JSON of most texts of a column, where its rules allow one; it answers None for the others.

    It must answer what the column's type would: a test holds the two against each other.
    """
    rules = set(target.rules)
    kind = column_type(target.type)
    if kind.is_free_text and rules <= _PLAIN_RULES:
        return _plain_text
    if kind.is_number and rules <= _NUMBER_RULES:
        return _plain_number
    return None


def _plain_text(text: str) -> str | None:
    """A text that means itself: nothing to clean, to escape or to take off."""
    changes = text[:1] in {"", " ", "'"} or text[-1] == " " or ";'" in text  # The last one may shield a formula.
    means_itself = not changes and text.isascii() and text.isprintable() and "\\" not in text and '"' not in text
    return f'"{text}"' if means_itself and len(text) <= _MAX_PLAIN_LENGTH else None


def _plain_number(text: str) -> str | None:
    match = _PLAIN_NUMBER.fullmatch(text)
    if match is None:
        return None
    return text.rstrip("0").rstrip(".") if match[1] else text


def new_columns(plan: ImportPlan) -> list[NewColumn]:
    """The columns to make, in the order of the file."""
    return [column.new for column in plan.taken if column.new]
