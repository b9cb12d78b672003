"""Traits: the properties of a column's type that other code reads instead of the type's name."""

from enum import StrEnum


class Form(StrEnum):
    """The form of a type's values. Files, pages and the grid each write all forms, so a new type only names its own."""

    TEXT = "string"
    LIST = "strings"
    NUMBER = "decimal"
    MONEY = "currency"
    PERCENT = "percentage"
    DAY = "day"
    INSTANT = "instant"
    BOOLEAN = "boolean"


class IdSource(StrEnum):
    """What the ids in a cell stand for."""

    OPTIONS = "options"
    PEOPLE = "people"
    ROWS = "rows"


NUMBERS = frozenset({Form.NUMBER, Form.MONEY, Form.PERCENT})
DATES = frozenset({Form.DAY, Form.INSTANT})
