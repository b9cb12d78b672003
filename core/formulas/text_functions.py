"""Functions of texts. The empty text and an empty cell are the same; case and accents do not matter in comparisons."""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Integer, Numeric, Text, and_, case, cast, func, literal

from core.column_types.cell_sql import Sql
from core.formulas.expressions import Expression, Kind, Result, applied, reason
from core.formulas.functions import Moment, expected, function, operator, whole
from core.formulas.syntax import Call
from db.folding import fold, folded

TEXTS = "Texts"
NOT_A_NUMBER = "The text is not a number such as 1234.5."
NOT_IN_TEXT = "The part is not in the text."
FROM_ONE = "Characters are counted from 1."
TOO_LONG = "The text is too long."
MAX_TEXT = 100_000
N, T = Kind.NUMBER, Kind.TEXT
_NUMBER = r"^[-+]?[0-9]{1,15}(?:\.[0-9]{1,10})?$"


@operator("&")
def joined(node: Call, arguments: Sequence[Expression], moment: Moment) -> Expression:
    """Join two values as text."""
    texts = [expected(argument, T, node, place, moment) for place, argument in enumerate(arguments)]
    return applied(T, _concat(*texts), texts)


@function(
    "CONCAT(value, …)",
    T,
    T,
    repeats=True,
    group=TEXTS,
    help="The values as one text. The same as `&`.",
    example=('CONCAT("Deal ", 7)', "Deal 7"),
)
def concat(*texts: Expression) -> Result:
    return _concat(*texts)


def _concat(*texts: Expression) -> Result:
    return Result(filled(func.concat(*[text.value for text in texts], type_=Text())), is_strict=False)


@function(
    "LEFT(text, count)",
    T,
    T,
    N,
    optional=1,
    group=TEXTS,
    help="The first characters; one where no count is named.",
    example=('LEFT("Falcon", 3)', "Fal"),
)
def left(text: Expression, count: Expression | None = None) -> Sql:
    return filled(func.left(text.value, _count(count), type_=Text()))


@function(
    "RIGHT(text, count)",
    T,
    T,
    N,
    optional=1,
    group=TEXTS,
    help="The last characters; one where no count is named.",
    example=('RIGHT("Falcon", 3)', "con"),
)
def right(text: Expression, count: Expression | None = None) -> Sql:
    return filled(func.right(text.value, _count(count), type_=Text()))


@function(
    "MID(text, start, count)",
    T,
    T,
    N,
    N,
    group=TEXTS,
    help="Characters from the middle, the first one being 1.",
    example=('MID("Falcon", 2, 3)', "alc"),
)
def mid(text: Expression, start: Expression, count: Expression) -> Result:
    begin = case((start.value >= 1, whole_count(start.value)))
    part = func.substr(text.value, begin, _count(count), type_=Text())
    return Result(filled(part), reason(start.value < 1, FROM_ONE), in_value=2)


@function(
    "LEN(text)",
    N,
    T,
    group=TEXTS,
    help="The number of characters; 0 for an empty cell.",
    example=('LEN("Falcon")', "6"),
)
def len_(text: Expression) -> Result:
    return Result(cast(func.coalesce(func.length(text.value), 0), Numeric), is_strict=False)


@function(
    "UPPER(text)", T, T, group=TEXTS, help="The text in capital letters.", example=('UPPER("Falcon é")', "FALCON É")
)
def upper(text: Expression) -> Sql:
    small, large = _letters()
    return func.translate(text.value, small, large, type_=Text())


@function(
    "LOWER(text)", T, T, group=TEXTS, help="The text in small letters.", example=('LOWER("Falcon É")', "falcon é")
)
def lower(text: Expression) -> Sql:
    small, large = _letters()
    return func.translate(text.value, large, small, type_=Text())


@function(
    "TRIM(text)",
    T,
    T,
    group=TEXTS,
    help="The text without blanks around it, and one blank between words.",
    example=('TRIM("  New   deal ")', "New deal"),
)
def trim(text: Expression) -> Sql:
    return filled(func.btrim(func.regexp_replace(text.value, " +", " ", "g"), " ", type_=Text()))


@function(
    "SUBSTITUTE(text, old, new)",
    T,
    T,
    T,
    T,
    group=TEXTS,
    help="The text with each `old` replaced by `new`.",
    example=('SUBSTITUTE("a-b-c", "-", "+")', "a+b+c"),
)
def substitute(text: Expression, old: Expression, new: Expression) -> Result:
    by = func.coalesce(new.value, "", type_=Text())
    length = func.length(text.value, type_=Integer()) * func.greatest(func.length(by), 1)
    short = case((length <= MAX_TEXT, text.value))
    value = func.replace(short, func.coalesce(old.value, ""), by, type_=Text())
    return Result(filled(value), reason(length > MAX_TEXT, TOO_LONG), in_value=2, is_strict=False)


@function(
    "CONTAINS(text, part)",
    Kind.CONDITION,
    T,
    T,
    group=TEXTS,
    help="Whether the text has the part in it, in capital or small letters.",
    example=('CONTAINS("Falcon", "ALC")', "TRUE"),
)
def contains(text: Expression, part: Expression) -> Result:
    return Result(func.strpos(folded_of(text), folded_of(part), type_=Integer()) > 0, is_strict=False)


@function(
    "STARTSWITH(text, part)",
    Kind.CONDITION,
    T,
    T,
    group=TEXTS,
    help="Whether the text begins with the part.",
    example=('STARTSWITH("Falcon", "fal")', "TRUE"),
)
def startswith(text: Expression, part: Expression) -> Result:
    return Result(func.strpos(folded_of(text), folded_of(part), type_=Integer()) == 1, is_strict=False)


@function(
    "EXACT(text, other)",
    Kind.CONDITION,
    T,
    T,
    group=TEXTS,
    help="Whether two texts are equal, letter by letter.",
    example=('EXACT("Falcon", "falcon")', "FALSE"),
)
def exact(text: Expression, other: Expression) -> Result:
    return Result(text.value.is_not_distinct_from(other.value), is_strict=False)


@function(
    "FIND(part, text)",
    N,
    T,
    T,
    group=TEXTS,
    help="Where the part begins in the text, letter by letter.",
    example=('FIND("c", "Falcon")', "4"),
)
def find(part: Expression, text: Expression) -> Result:
    place = func.strpos(text.value, part.value, type_=Integer())
    return Result(cast(func.nullif(place, 0), Numeric), reason(place == 0, NOT_IN_TEXT))


@function(
    "TEXT(value)",
    T,
    T,
    group=TEXTS,
    help="A number, date or condition as text.",
    example=("TEXT(12.50)", "12.5"),
)
def text_(value: Expression) -> Sql:
    return value.value


@function(
    "VALUE(text)",
    N,
    T,
    group=TEXTS,
    help="The number that a text is.",
    example=('VALUE("12.50")', "12.5"),
)
def value_(text: Expression) -> Result:
    digits = func.substring(text.value, _NUMBER, type_=Text())
    error = reason(and_(text.value.is_not(None), digits.is_(None)), NOT_A_NUMBER)
    return Result(cast(digits, Numeric), error, in_error=2)


def folded_of(text: Expression) -> Sql:
    """Return the text as it is compared."""
    if text.folded is not None:
        return text.folded
    return literal(fold(text.constant), Text()) if isinstance(text.constant, str) else folded(text.value)


def filled(text: Sql) -> Sql:
    """Return the text, NULL where it is empty."""
    return func.nullif(text, "", type_=Text())


def whole_count(number: Sql) -> Sql:
    """Return a number of characters as an integer."""
    return whole(number, 0, MAX_TEXT)


def _count(count: Expression | None) -> Sql:
    return literal(1) if count is None else whole_count(count.value)


@lru_cache(maxsize=1)
def _letters() -> tuple[str, str]:
    """Return the small letters of Latin, Greek and Cyrillic, and their capitals: the same on every server."""
    codes = [*range(0x61, 0x7B), *range(0xE0, 0x180), *range(0x3AC, 0x3CF), *range(0x430, 0x460)]
    pairs = [(small, small.upper()) for small in map(chr, codes)]
    pairs = [(small, large) for small, large in pairs if len(large) == 1 and large.lower() == small != large]
    return "".join(small for small, _ in pairs), "".join(large for _, large in pairs)
