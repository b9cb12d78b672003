"""Rules: the settings that limit the values of a column. Each rule describes the field of the form that sets it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import re2

from core.base.errors import Invalid
from core.base.exact_json import decimal_text
from core.base.text import clean, quoted
from core.column_types.currencies import CURRENCIES

PATTERN_LENGTH = 500
FORMULA_LENGTH = 2_000
FILTER_LENGTH = 10_000
PATTERN_MEMORY = 1 << 20
_WHOLE = re.compile(r"\d{1,6}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its key in `rules`, its label, the kind of input that sets it, and the choices where it has some."""

    key: str
    label: str
    kind: str
    choices: tuple[str, ...] = ()
    help: str = ""
    most: int = 100_000

    def check(self, value: Any) -> Any:
        """The value to store for this rule, or None where the rule is not set. Raises Invalid."""
        if value is None or value is False or value == "":
            return None
        return _CHECKS[self.kind](self, value)


def pattern(text: str) -> Any:
    """The compiled pattern. RE2 reads any text in linear time, so no pattern can hold the server. Raises Invalid."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY
    try:
        return re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise Invalid(f"The pattern {quoted(text)} cannot be used: {reason}.") from None


def _check_flag(rule: Rule, value: Any) -> bool:
    if value is not True:
        raise Invalid(f"“{rule.label}” is either on or off.")
    return True


def _check_whole(rule: Rule, value: Any) -> int:
    digits = str(value)
    if isinstance(value, bool) or not _WHOLE.fullmatch(digits) or int(digits) > rule.most:
        raise Invalid(f"“{rule.label}” takes a whole number from 0 to {rule.most}.")
    return int(digits)


def _check_number(rule: Rule, value: Any) -> str:
    """Kept as decimal text: the rules are read back by readers that would make a JSON number a float."""
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite() or abs(number) >= Decimal(10) ** 15:
        raise Invalid(f"“{rule.label}” takes a number such as 1234.5, not {quoted(str(value))}.")
    return decimal_text(number)


def _check_text(rule: Rule, value: Any) -> str:
    if not isinstance(value, str) or len(value) > PATTERN_LENGTH:
        raise Invalid(f"“{rule.label}” takes a text of at most {PATTERN_LENGTH} characters.")
    return clean(value)


def _check_formula(rule: Rule, value: Any) -> str:
    if not isinstance(value, str) or len(value) > FORMULA_LENGTH:
        raise Invalid(f"“{rule.label}” takes a text of at most {FORMULA_LENGTH:,} characters.")
    return value.strip()


def _check_filter(rule: Rule, value: Any) -> Any:
    if not isinstance(value, list | dict) or len(json.dumps(value, default=str)) > FILTER_LENGTH:
        raise Invalid(f"“{rule.label}” takes a filter as a view has it.")
    return value or None


def _check_pattern(rule: Rule, value: Any) -> str:
    text = _check_text(rule, value)
    pattern(text)
    return text


def _check_choice(rule: Rule, value: Any) -> str:
    if value not in rule.choices:
        raise Invalid(f"“{rule.label}” is one of: {', '.join(rule.choices)}.")
    return str(value)


def _check_currency(rule: Rule, value: Any) -> str:
    code = str(value).strip().upper()
    if code not in CURRENCIES:
        raise Invalid(f"“{rule.label}” takes a currency code such as EUR or USD, not {quoted(str(value))}.")
    return code


def _check_time_zone(rule: Rule, value: Any) -> str:
    if value not in available_timezones():
        raise Invalid(f"“{rule.label}” takes a time zone such as Europe/Berlin, not {quoted(str(value))}.")
    return ZoneInfo(value).key


def _check_id(rule: Rule, value: Any) -> int:
    if type(value) is not int or not 0 < value < 2**31:
        raise Invalid(f"“{rule.label}” takes the id of a sheet or of a column.")
    return value


_CHECKS: dict[str, Callable[[Rule, Any], Any]] = {
    "flag": _check_flag,
    "whole": _check_whole,
    "id": _check_id,
    "number": _check_number,
    "text": _check_text,
    "formula": _check_formula,
    "filter": _check_filter,
    "pattern": _check_pattern,
    "choice": _check_choice,
    "currency": _check_currency,
    "time_zone": _check_time_zone,
    # Dates and instants are read by the column type itself, in ColumnType.check_rules.
    "date": _check_text,
    "datetime": _check_text,
}

REQUIRED = Rule("required", "A value is required", "flag")
UNIQUE = Rule("unique", "No two rows share a value", "flag")
