"""Folding: the one form in which texts are compared, searched and sorted, in Python and in SQL by the same table."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Text, func

TABLE = Path(__file__).with_name("folding.txt")


def fold(text: str) -> str:
    """The text without case, accents and other differences of writing: `Łódź`, `LODZ` and `lodz` are one.

    It is the SQL function `fold_text`: Unicode's case folding and compatibility decomposition without combining
    marks (U+0300 to U+036F), and the letters that Unicode does not decompose as CLDR's Latin-ASCII transform has them.
    The table is kept with the code, because Python, PostgreSQL and their versions differ. `fold(fold(x))` is `fold(x)`.
    """
    return text.lower() if text.isascii() else text.translate(letters())


def folded(text: Any) -> ColumnElement[str]:
    """The same in SQL, ready to be compared and sorted by: the C collation orders alike in every database."""
    return func.fold_text(text, type_=Text()).collate("C")


@lru_cache(maxsize=1)
def letters() -> dict[int, str]:
    """Each letter that folds to something else, by its code point. The ASCII letters are among them."""
    mapping = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        folded, _, letters_text = line.partition("\t")
        mapping |= dict.fromkeys(map(ord, letters_text), folded)
    return mapping
