"""How things are written: dates as the person likes them, and other people's text as nothing but text."""

import re
from datetime import date, datetime

PATTERNS = {"iso": "%Y-%m-%d", "day first": "%d.%m.%Y", "month first": "%m/%d/%Y"}
# The same formats in the words of the grid.
DATE_PATTERNS = {"iso": "YYYY-MM-DD", "day first": "DD.MM.YYYY", "month first": "MM/DD/YYYY"}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:$&@])")


def day(value: date, date_format: str) -> str:
    """A date as this person likes it."""
    return value.strftime(PATTERNS[date_format])


def moment(value: datetime, date_format: str) -> str:
    """An instant in UTC to the minute."""
    return f"{value.strftime(PATTERNS[date_format])} {value:%H:%M} UTC"


def literal(text: str) -> str:
    """Text of a sheet or a person for Markdown: shown letter by letter, never read as formatting."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
