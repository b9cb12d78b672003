"""Shown forms: numbers and dates in SQL as people read them, so that a search finds what is on the screen.

Each person chooses how numbers and dates are written (`core.accounts.locale`). What is searched for is held
against each of these forms, so that a search finds the same rows for everybody.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import DateTime, Text, and_, cast, false, func, or_

from core.column_types.cell_sql import Sql, SqlCell
from core.column_types.conditions import SqlCondition, escaped
from core.column_types.number_text import DECIMALS, plain_marks

_NUMBER = re.compile(r"(-?)([^-0-9.,' ]{1,4}\.?)?(-?)([0-9.,' ]*?) ?([^-0-9.,' ]{1,4}\.?)?")
_MOMENT = re.compile(r"[-0-9./: ]*[0-9][-0-9./: ]*")
_WHOLE = "FM999,999,999,999,990."
# By the marks that a form has: how it is made of 1,234.5, and of 1234.5 where it has no groups.
_GROUPED = {",.": (",.", ",."), ".,": (",.", ".,"), " ,": (",.", " ,"), "'.": (",", "'")}
_DAYS: dict[str, Callable[[Sql], Sql]] = {
    "-": lambda text: text,
    ".": lambda text: _turned(text, (9, 2), ".", (6, 2), ".", (1, 4)),
    "/": lambda text: _turned(text, (6, 2), "/", (9, 2), "/", (1, 4)),
}


@dataclass(frozen=True)
class SoughtNumber:
    """A text to search for in numbers: its digits and marks, and the unit beside them."""

    digits: str
    before: str
    after: str

    @classmethod
    def read(cls, text: str) -> "SoughtNumber | None":
        """None where this is not a part of any number."""
        match = _NUMBER.fullmatch(plain_marks(text).strip())
        if match is None:
            return None
        digits, units = match[4].strip(), (match[2] or "", match[5] or "")
        has_digit = any(map(str.isdigit, digits))
        return cls(f"{match[1] or match[3]}{digits}", *units) if has_digit or (any(units) and not digits) else None

    @property
    def units(self) -> set[str]:
        """The signs and codes beside the digits."""
        return {unit for unit in (self.before, self.after) if unit}

    def stands_in(self, cell: SqlCell, places: int) -> SqlCondition:
        """Whether a number with at least these many decimals shows it, in any number format."""
        if not self.digits:
            return cell.text.is_not(None)
        marks = set(self.digits) - set("-0123456789")
        # Most numbers are ruled out by their digits alone, which costs a tenth of writing them.
        digits = re.sub(r"[^0-9]", "", self.digits).rstrip("0")
        may = func.translate(cell.text, ".-", "").contains(digits, autoescape=True)
        return and_(may, or_(false(), *(self._stands(form) for form in _numbers(cell.number, places, marks))))

    def _stands(self, form: Sql) -> SqlCondition:
        sought = escaped(self.digits)
        if self.before:
            return (form if "-" in self.digits else func.ltrim(form, "-")).like(f"{sought}%", escape="\\")
        return form.like(f"%{sought}" if self.after else f"%{sought}%", escape="\\")


def _numbers(number: Sql, places: int, marks: set[str]) -> Iterator[Sql]:
    """The number in each of the forms that have these marks."""
    grouped = func.rtrim(func.to_char(number, _WHOLE + "0" * places + "9" * (DECIMALS - places), type_=Text()), ".")
    plain = func.replace(grouped, ",", "")
    if marks <= {"."}:
        yield plain
    if marks == {","}:
        yield func.replace(plain, ".", ",")
    for own, (before, after) in _GROUPED.items():
        if marks and marks <= set(own):
            yield func.translate(grouped, before, after, type_=Text())


def shows_day(cell: SqlCell, text: str) -> SqlCondition:
    """Whether a day shows this, in any date format."""
    return _shows(cell.text, text)


def shows_instant(cell: SqlCell, text: str, time_zone: str) -> SqlCondition:
    """Whether an instant shows this by the clock of the time zone, in any date format."""
    local = func.timezone(time_zone, cast(cell.text, DateTime(timezone=True)))
    return _shows(func.to_char(local, "YYYY-MM-DD HH24:MI", type_=Text()), text)


def _shows(cell_text: Sql, text: str) -> SqlCondition:
    search = text.strip()
    if not _MOMENT.fullmatch(search):
        return false()
    marks = set(search) & set(_DAYS)
    forms = [form(cell_text) for mark, form in _DAYS.items() if marks <= {mark}]
    return or_(false(), *(form.contains(search, autoescape=True) for form in forms))


def _turned(text: Sql, *parts: tuple[int, int] | str) -> Sql:
    """A date in another order of its parts; what stands behind it stays."""
    pieces = [piece if isinstance(piece, str) else func.substr(text, *piece) for piece in parts]
    return func.concat(*pieces, func.substr(text, 11), type_=Text())
