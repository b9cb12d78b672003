"""The syntax of formulas: a text as a tree of nodes, each with its place in the text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken, v_args

from core.base.errors import Invalid
from core.base.text import quoted
from core.column_types.rules import FORMULA_LENGTH

MAX_NODES = 400
MAX_DEPTH = 40
MAX_DIGITS = 15

# Minus binds closer than ^, as in spreadsheets: -2^2 is 4.
GRAMMAR = r"""
    ?start: comparison
    ?comparison: text | comparison COMPARE text          -> operation
    ?text: sum | text JOIN sum                           -> operation
    ?sum: product | sum SIGN product                     -> operation
    ?product: power | product TIMES power                -> operation
    ?power: signed | power POWER signed                  -> operation
    ?signed: percent | SIGN signed                       -> sign
    ?percent: atom | percent PERCENT                     -> percentage
    ?atom: "(" comparison ")" | call | column | number | string | name
    call: NAME "(" [comparison (_SEPARATOR comparison)*] ")"
    name: NAME
    column: COLUMN
    number: NUMBER
    string: STRING
    COMPARE: "<=" | ">=" | "<>" | "=" | "<" | ">"
    JOIN: "&"
    SIGN: "+" | "-"
    TIMES: "*" | "/"
    POWER: "^"
    PERCENT: "%"
    _SEPARATOR: "," | ";"
    NUMBER: /[0-9]+(\.[0-9]+)?|\.[0-9]+/
    STRING: /"(?:[^"]|"")*"/
    COLUMN: /\{(?:[^{}]|\}\})*\}|\[(?:[^\[\]]|\]\])*\]/
    NAME: /[A-Za-z][A-Za-z0-9_]*/
    %ignore /[ \t\r\n\u00a0]+/
"""
_EXPECTED = {
    "RPAR": "“)”",
    "NUMBER": "a number",
    "STRING": "a text in quotation marks",
    "COLUMN": "a column such as {Amount}",
    "$END": "the end",
}


class FormulaError(Invalid):
    """A formula that cannot be used, with the place of the mistake in its text, from 0."""

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message if at is None else f"{message} (at character {at + 1})", position=at)
        self.at = at


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a formula: its place in the text, and how many nodes are in and below it."""

    at: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, text or truth value that the formula names."""

    value: Decimal | str | bool


@dataclass(frozen=True, slots=True)
class Column(Node):
    """A column, as the text between the brackets names it."""

    name: str
    end: int


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function or operator with its arguments."""

    function: str
    arguments: tuple[Node, ...]


def parsed(text: str) -> Node:
    """Return the tree of a formula. Raises FormulaError with the place of the mistake."""
    if len(text) > FORMULA_LENGTH:
        raise FormulaError(f"A formula has at most {FORMULA_LENGTH:,} characters; this one has {len(text):,}.")
    if not text.strip():
        raise FormulaError("A formula needs an expression, such as {Amount} * 2.")
    return _parsed(text)


@lru_cache(maxsize=2_000)
def _parsed(text: str) -> Node:
    # A formula may begin with = as in a spreadsheet; the blank keeps all places.
    body = text.replace("=", " ", 1) if text.lstrip().startswith("=") else text
    try:
        node: Node = _parser().parse(body)
    except UnexpectedInput as error:
        raise _unexpected(text, error) from None
    _check_size(node)
    return node


def columns_of(node: Node) -> Iterator[Column]:
    """Yield each place where a formula names a column."""
    if isinstance(node, Column):
        yield node
    if isinstance(node, Call):
        for argument in node.arguments:
            yield from columns_of(argument)


def with_columns(text: str, names: Sequence[tuple[Column, str]]) -> str:
    """Return the formula with other names for these columns, and everything else as it was written."""
    pieces, position = [], 0
    for column, name in sorted(names, key=lambda pair: pair[0].at):
        pieces += [text[position : column.at], "{", name.replace("}", "}}"), "}"]
        position = column.end
    return "".join([*pieces, text[position:]])


def _check_size(node: Node) -> None:
    """Refuse a tree that is too large or too deep, level by level."""
    level, count, depth = [node], 0, 0
    while level:
        depth += 1
        count += len(level)
        if depth > MAX_DEPTH:
            raise FormulaError(f"A formula has at most {MAX_DEPTH} levels. Split it into several columns.")
        if count > MAX_NODES:
            raise FormulaError(f"A formula has at most {MAX_NODES} parts. Split it into several columns.")
        level = [child for parent in level if isinstance(parent, Call) for child in parent.arguments]


def _unexpected(text: str, error: UnexpectedInput) -> FormulaError:
    at = error.pos_in_stream if error.pos_in_stream is not None else len(text)
    if isinstance(error, UnexpectedCharacters):
        return FormulaError(f"{quoted(text[at : at + 10])} cannot stand here.{_hint(text[at])}", at)
    token = error.token if isinstance(error, UnexpectedToken) else None
    if token is None or token.type == "$END":
        at = len(text)
        what = "The formula ends too early"
    else:
        at = token.start_pos or 0
        what = f"{quoted(str(token))} cannot stand here"
    expected = [word for name, word in _EXPECTED.items() if name in getattr(error, "accepts", set())]
    return FormulaError(f"{what}{'; expected: ' + ' or '.join(expected[:2]) if expected else ''}.", at)


def _hint(character: str) -> str:
    if character == '"':
        return " A text needs a quotation mark at its end."
    if character in "{[":
        return " A column's name needs a bracket at its end."
    return ""


@v_args(inline=True)
class _Nodes(Transformer[Token, Node]):
    """Builds the nodes while the text is parsed."""

    def number(self, token: Token) -> Node:
        if sum(map(str.isdigit, token)) > MAX_DIGITS + 10 or len(token.partition(".")[0]) > MAX_DIGITS:
            raise FormulaError(f"A number in a formula has at most {MAX_DIGITS} digits.", _at(token))
        return Literal(_at(token), Decimal(token))

    def string(self, token: Token) -> Node:
        return Literal(_at(token), token[1:-1].replace('""', '"'))

    def column(self, token: Token) -> Node:
        closing = token[-1]
        return Column(_at(token), token[1:-1].replace(closing * 2, closing).strip(), _at(token) + len(token))

    def name(self, token: Token) -> Node:
        word = token.upper()
        if word not in {"TRUE", "FALSE"}:
            raise FormulaError(
                f"{quoted(str(token))} is not known. A column stands in brackets: {{{token}}}; a function has (…).",
                _at(token),
            )
        return Literal(_at(token), word == "TRUE")

    def call(self, name: Token, *arguments: Node | None) -> Node:
        return Call(_at(name), name.upper(), tuple(argument for argument in arguments if argument is not None))

    def operation(self, left: Node, operator: Token, right: Node) -> Node:
        return Call(_at(operator), str(operator), (left, right))

    def sign(self, operator: Token, value: Node) -> Node:
        return Call(_at(operator), "NEGATIVE" if operator == "-" else "POSITIVE", (value,))

    def percentage(self, value: Node, operator: Token) -> Node:
        return Call(_at(operator), "%", (value,))


def _at(token: Token) -> int:
    return token.start_pos or 0


@lru_cache(maxsize=1)
def _parser() -> Any:
    return Lark(GRAMMAR, parser="lalr", transformer=_Nodes(), maybe_placeholders=False)
