"""Number text: reading a number as people write it, exactly, and refusing what could be two different numbers."""

import re
from dataclasses import dataclass
from decimal import Decimal

from core.base.errors import Invalid
from core.base.exact_json import decimal_text
from core.base.text import quoted

DOT, COMMA = "1,234.56", "1.234,56"
FORMATS = (DOT, COMMA)
WHOLE_DIGITS = 15
DECIMALS = 10
_MAX_LENGTH = 80

# What programs write, and what reads the same in every format: no thousands, and never three decimals.
_PLAIN = re.compile(r"-?[0-9]{1,15}(?:\.(?:[0-9]{1,2}|[0-9]{4,10}))?")
# What most cells of an imported file look like: thousands in groups or not, and the decimal mark of the format.
_USUAL = {
    number_format: re.compile(
        rf"-?(?:[1-9][0-9]{{0,2}}([{group} '\u00a0\u202f])[0-9]{{3}}(?:\1[0-9]{{3}}){{0,3}}|[0-9]{{1,15}})"
        rf"(?:[{mark}][0-9]{{1,10}})?",
    )
    for number_format, group, mark in ((DOT, ",", "."), (COMMA, ".", ","))
}
_UNGROUPED = {
    DOT: dict.fromkeys(map(ord, ", '\u00a0\u202f")),
    COMMA: dict.fromkeys(map(ord, ". '\u00a0\u202f")) | {ord(","): "."},
}
_NUMBER = re.compile(
    r"""(?P<sign>[-+]?)\s*
        (?:(?P<before>[^\s\d+\-().,'%]{1,4}\.?|%)\s*)?
        (?P<inner>[-+]?)
        (?P<body>[0-9.,][0-9., ']*?)
        (?P<exponent>[eE][+-]?[0-9]{1,3})?
        (?P<trailing>-?)
        (?:\s*(?P<after>[^\s\d+\-().,'%]{1,4}\.?|%))?
        (?P<last>-?)""",
    re.VERBOSE,
)
_BRACKETS = re.compile(r"([^()0-9]*)\((.*)\)([^()0-9]*)")
_ALIKE = str.maketrans(
    {
        **dict.fromkeys(
            "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f", " "
        ),
        **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d", "-"),
        **dict.fromkeys("\u2019\u2018\u02bc`\u00b4", "'"),
    }
)


def plain_marks(text: str) -> str:
    """The text with every kind of space, dash and apostrophe as the one on the keyboard."""
    return text.translate(_ALIKE)


@dataclass(frozen=True, slots=True)
class NumberReading:
    """What a text says: the number if a dot and if a comma is its decimal mark (None: not so), and its unit."""

    dotted: Decimal | None
    comma: Decimal | None
    unit: str

    @property
    def format(self) -> str | None:
        """The number format that this text proves; None where both fit."""
        if self.dotted is None or self.comma is None:
            return COMMA if self.dotted is None else DOT
        return None

    @property
    def ambiguous(self) -> bool:
        """Whether the text is two different numbers, depending on the format."""
        return self.format is None and self.dotted != self.comma


def number_of(text: str, number_format: str | None, places: int = DECIMALS) -> tuple[Decimal, str]:
    """The number and its unit (currency sign, code, % or nothing). Raises Invalid on what cannot be read surely.

    Where the format is open and only one reading has at most `places` decimals, the text means that one.
    """
    if _PLAIN.fullmatch(text):
        return trimmed(Decimal(text)), ""
    if number_format and _USUAL[number_format].fullmatch(text):
        return trimmed(Decimal(text.translate(_UNGROUPED[number_format]))), ""
    reading = reading_of(text)
    number = _by_format(reading, text, number_format) if number_format else _by_itself(reading, text, places)
    return within_limits(number, text), reading.unit


def reading_of(text: str) -> NumberReading:
    """Both readings of the text, one per decimal mark. Raises Invalid where the text is not a number."""
    body, exponent, negative, unit = _parts(text)
    dotted, comma = (_value(body, mark, exponent, negative=negative) for mark in ".,")
    if dotted is None and comma is None:
        raise _no_number(text)
    return NumberReading(dotted, comma, unit)


def canonical(number: Decimal) -> str:
    """The number with `.`, in digits that every number format reads as this number and no other."""
    text = decimal_text(number)
    # 1.234 could be read as 1234; with a zero more it can not.
    return f"{text}0" if text[-4:-3] == "." else text


def trimmed(number: Decimal) -> Decimal:
    """The same number without trailing zeros, exponent or a minus before zero, so that equal numbers look equal."""
    text = decimal_text(number)
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text) or Decimal(0)


def _parts(text: str) -> tuple[str, str, bool, str]:
    """The digits with their separators, the exponent, whether negative, and the unit."""
    plainer = plain_marks(text).strip()
    brackets = _BRACKETS.fullmatch(plainer)
    inside = "".join(brackets.groups()) if brackets else plainer
    match = _NUMBER.fullmatch(inside) if len(text) <= _MAX_LENGTH else None
    if match is None:
        raise _no_number(text)
    signs = [mark for mark in match.group("sign", "inner", "trailing", "last") if mark]
    units = [unit for unit in match.group("before", "after") if unit]
    if len(signs) + bool(brackets) > 1 or len(set(units)) > 1:
        raise _no_number(text)
    return match["body"].strip(), match["exponent"] or "", bool(brackets) or "-" in signs, units[0] if units else ""


def _value(body: str, mark: str, exponent: str, *, negative: bool) -> Decimal | None:
    """The number when `mark` is the decimal mark, or None where the text is not written so."""
    whole, has_mark, decimals = body.rpartition(mark) if mark in body else (body, "", "")
    if (has_mark and not decimals.isdigit()) or (exponent and not (whole + "0").isdigit()):
        return None
    digits = _ungrouped(whole, "," if mark == "." else ".") if whole else "0"
    if digits is None:
        return None
    number = Decimal(f"{digits}.{decimals or 0}{exponent}")
    return number.copy_negate() if negative else number


def _ungrouped(whole: str, separator: str) -> str | None:
    """The digits of a whole number whose thousands are set apart by one kind of separator, or by none."""
    if whole.isdigit():
        return whole
    kinds = {character for character in whole if not character.isdigit()}
    if len(kinds) != 1 or not kinds <= {separator, " ", "'"}:
        return None
    first, *groups = whole.split(kinds.pop())
    return first + "".join(groups) if _grouped(first, groups, lakhs="," in whole) else None


def _grouped(first: str, groups: list[str], *, lakhs: bool) -> bool:
    """Whether the groups are thousands (1 234 567) or, by commas, lakhs (12,34,567)."""
    if not 1 <= len(first) <= 3 or len(groups[-1]) != 3 or (first[0] == "0"):
        return False
    sizes = {len(group) for group in groups[:-1]}
    return sizes <= {3} or (lakhs and sizes == {2} and len(first) <= 2)


def _by_itself(reading: NumberReading, text: str, places: int) -> Decimal:
    number = reading.comma if reading.dotted is None else reading.dotted
    if number is None:
        raise _no_number(text)
    if reading.ambiguous:
        readings = [trimmed(option) for option in (reading.comma, reading.dotted) if option is not None]
        fitting = [option for option in readings if _places_of(option) <= places]
        if len(fitting) == 1:
            return fitting[0]
        raise Invalid(
            f"{quoted(text)} can be read as {' or as '.join(map(decimal_text, readings))}. Write it as "
            f"{' or '.join(map(canonical, readings))}, or set the number format of the column.",
        )
    return number


def _places_of(number: Decimal) -> int:
    return len(decimal_text(number).partition(".")[2])


def _by_format(reading: NumberReading, text: str, number_format: str) -> Decimal:
    number = reading.dotted if number_format == DOT else reading.comma
    if number is None:
        raise Invalid(f"{quoted(text)} does not fit the number format of this column, which is {number_format}.")
    return number


def within_limits(number: Decimal, text: str) -> Decimal:
    """The number, trimmed, if a cell can hold it exactly. Raises Invalid."""
    # The exponent is looked at before any digits are written out: 1e999 has a thousand of them.
    if number and number.adjusted() >= WHOLE_DIGITS:
        raise Invalid(f"{quoted(text)} is too large: numbers have at most {WHOLE_DIGITS} digits before the decimals.")
    if number and number.adjusted() < -DECIMALS:
        raise _too_fine(text)
    exact = trimmed(number) if number else Decimal(0)
    if _places_of(exact) > DECIMALS:
        raise _too_fine(text)
    return exact


def _too_fine(text: str) -> Invalid:
    return Invalid(f"{quoted(text)} has too many decimals: numbers have at most {DECIMALS}.")


def _no_number(text: str) -> Invalid:
    return Invalid(f"{quoted(text)} is not a number.")
