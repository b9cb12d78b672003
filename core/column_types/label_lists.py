"""Lists of labels in one text: separated by commas, a label that holds a separator quoted as in CSV."""

import re

from core.base.errors import Invalid
from core.base.text import quoted

_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^",;\n]*(?:(?<=[^\s",;\n])"[^",;\n]*)*))\s*(?:[,;\n]|$)')
_TO_QUOTE = re.compile('[",;\n]')


def list_items(text: str) -> list[str]:
    """Return the labels in a list separated by commas, semicolons or lines. Raises Invalid on an open quotation."""
    items, position = [], 0
    while position < len(text):
        match = _ITEM.match(text, position)
        if match is None or match.end() == position:
            raise Invalid(f"{quoted(text)} is not a list: a quotation mark is not closed.")
        items.append(match[1].replace('""', '"') if match[1] is not None else match[2])
        position = match.end()
    return [item for item in items if item.strip()]


def quoted_label(label: str) -> str:
    """Return the label as `list_items` reads it back."""
    return '"' + label.replace('"', '""') + '"' if _TO_QUOTE.search(label) else label
