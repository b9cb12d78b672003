"""Text and long text: one line or many, composed the same way for everybody."""

import re
from collections.abc import Callable
from typing import Any, ClassVar

from core.base.errors import Invalid
from core.base.text import clean, quoted
from core.column_types.base import ColumnLike, ColumnType, References, expected
from core.column_types.cell_sql import Sql, SqlCell
from core.column_types.conditions import TEXT
from core.column_types.rules import REQUIRED, UNIQUE, Rule, pattern

_BREAKS = re.compile(r"[ ]*[\n\t][\s]*")


class TextLike(ColumnType[str]):
    """What all types have in common whose value is the text itself."""

    value_class = str
    filters = TEXT
    editor = "text"
    width = 116

    def verify(self, value: Any, column: ColumnLike, references: References, current: str | None = None) -> str | None:
        if not isinstance(value, str):
            raise expected(value, "a text")
        return self.parse(value, column, references, current)

    def sql(self, cell: SqlCell, column: ColumnLike, references: References) -> Sql:
        return cell.folded

    def operand(self, value: Any, column: ColumnLike, references: References) -> str:
        if not isinstance(value, str):
            raise expected(value, "a text to look for")
        if len(value) > self.longest:
            raise Invalid(f"A text to look for has at most {self.longest:,} characters.")
        return clean(value)


def _takes(longest: int) -> tuple[Rule, ...]:
    return (
        REQUIRED,
        UNIQUE,
        Rule("min_length", "Fewest characters", "whole", most=longest),
        Rule("max_length", "Most characters", "whole", most=longest),
        Rule("pattern", "Pattern of the whole text", "pattern", help="A regular expression, such as [A-Z]{2}-[0-9]+"),
    )


class LongText(TextLike):
    """Text of several lines."""

    name, label, icon, editor = "long_text", "Long text", "notes", "long_text"
    is_free_text = True
    is_multiline = True
    width = 170
    longest: ClassVar[int] = 100_000
    takes = _takes(longest)

    def reader(self, column: ColumnLike, references: References, current: str | None = None) -> Callable[[str], str]:
        rules = column.rules
        minimum, maximum = rules.get("min_length", 0), min(rules.get("max_length", self.longest), self.longest)
        matches = pattern(rules["pattern"]).fullmatch if "pattern" in rules else None

        def read(text: str) -> str:
            text = self.laid_out(text)
            if not minimum <= len(text) <= maximum:
                raise _wrong_length(len(text), minimum, maximum)
            if matches and not matches(text):
                raise Invalid(f"{quoted(text)} does not match the pattern of this column, {rules['pattern']}.")
            return text

        return read

    def laid_out(self, text: str) -> str:
        """The text with the line breaks that this type keeps."""
        return text


class Text(LongText):
    """Text of one line."""

    name, label, icon, editor = "text", "Text", "title", "text"
    is_multiline = False
    width = 116
    longest: ClassVar[int] = 10_000
    takes = _takes(longest)

    def laid_out(self, text: str) -> str:
        return text if text.isprintable() else _BREAKS.sub(" ", text)


def _wrong_length(length: int, minimum: int, maximum: int) -> Invalid:
    limit = f"at most {maximum:,}" if length > maximum else f"at least {minimum:,}"
    return Invalid(f"The text has {length:,} characters; this column takes {limit}.")
