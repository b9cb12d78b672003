"""The page on formulas lists every function with its help and its example, which test_examples.py runs."""

from itertools import groupby
from pathlib import Path

from core.formulas.compiler import FUNCTIONS

PAGE = Path(__file__).parents[3] / "docs" / "formulas.md"


def listed() -> str:
    """The list of functions as the page has it."""
    groups = groupby(sorted(FUNCTIONS.values(), key=lambda each: (each.group, each.name)), key=lambda each: each.group)
    parts = []
    for group, functions in groups:
        lines = [f"| `{each.shown}` | {each.help} | `{each.example}` | {each.result} |" for each in functions]
        parts.append(
            f"### {group}\n\n| Function | What it gives | Example | Result |\n|---|---|---|---|\n" + "\n".join(lines)
        )
    return "\n\n".join(parts)


def test_the_page_lists_every_function() -> None:
    assert listed() in PAGE.read_text()
