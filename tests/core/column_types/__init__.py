"""What the tests of column types share: columns to read into, people, and a pool of texts that people type."""

from typing import Any

import pytest

from core.base.errors import Invalid
from core.column_types import column_type
from core.column_types.base import Draft, Option, PeopleDirectory, References

OPTIONS = [
    Option("o1", "Red", "#f6aea9"),
    Option("o2", "Blue, dark", "#a8c7fa"),
    Option("o3", "Old", "#c7c7cc", retired=True),
    Option("o4", '5" pipe', "#c4eed0"),
    Option("o5", "a;b\u00e9", "#fde293"),
]
PEOPLE = PeopleDirectory(
    {"1": "Ann Lee", "2": "Ben Ray", "3": "ben ray"}, emails={"ann@example.com": "1", "ben@example.com": "2"}
)
REFERENCES = References(lambda: PEOPLE)
TYPED = """
    hello|Ärger|1234.5|1.000,50|1,000.50|€ 3 500|(5)|25 %|-0|0.500|1e3|2026-12-31|31.12.2026|3 Mar 2026|12/31/2026
    2026-12-31T10:00:00Z|2026-12-31 10:00|yes|no|x|red|Blue, dark|"Blue, dark"; Red|https://example.com/a?b=c#d
    example.com|mailto:ann@example.com|ann@example.com|+49 (0)89 123-456|Ann Lee|2|Ben Ray (2)
"""
POOL = [text.strip() for line in TYPED.strip().splitlines() for text in line.split("|")]


def column(name: str, **rules: Any) -> Draft:
    """A column of a type with these rules; choices have the options above."""
    return Draft(name, rules, OPTIONS if name in {"choice", "choices"} else ())


def parse(name: str, text: str, **rules: Any) -> Any:
    """What the type reads in the text."""
    return column_type(name).parse(text, column(name, **rules), REFERENCES)


def check(name: str, value: Any, **rules: Any) -> Any:
    """What the type stores for a JSON value."""
    return column_type(name).check(value, column(name, **rules), REFERENCES)


def refusal(name: str, text: str, **rules: Any) -> str:
    """The reason for which the type refuses the text."""
    with pytest.raises(Invalid) as refused:
        parse(name, text, **rules)
    return refused.value.message


def outcome(name: str, text: str, **rules: Any) -> Any:
    """What the type reads in the text, or the reason why it reads nothing."""
    try:
        return parse(name, text, **rules)
    except Invalid as refused:
        return refused.message
