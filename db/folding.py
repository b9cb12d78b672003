"""Folding: the form in which texts are compared, searched and sorted, with one table for Python and SQL."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Text, func

TABLE = Path(__file__).with_name("folding.txt")


def fold(text: str) -> str:
    """Return the text without differences of case and accents: `Łódź`, `LODZ` and `lodz` become equal.

    It is the SQL function `fold_text`: Unicode's case folding and compatibility decomposition without combining
    marks (U+0300 to U+036F), and the letters that Unicode does not decompose as CLDR's Latin-ASCII transform has them.
    The table is kept with the code, because Python, PostgreSQL and their versions differ. `fold(fold(x))` is `fold(x)`.
    """
    return text.lower() if text.isascii() else text.translate(letters())


def folded(text: Any) -> ColumnElement[str]:
    """Return the SQL expression for the folded text, in the C collation, which sorts equally in every database."""
    return func.fold_text(text, type_=Text()).collate("C")


@lru_cache(maxsize=1)
def letters() -> dict[int, str]:
    """Return what each letter folds to, by code point, including ASCII letters."""
    mapping = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        folded, _, letters_text = line.partition("\t")
        mapping |= dict.fromkeys(map(ord, letters_text), folded)
    return mapping
