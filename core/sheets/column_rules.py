"""Rules and options of a column, checked before they are stored."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from core.base.errors import Invalid
from core.column_types.base import ColumnType, Option


def checked_rules(kind: ColumnType[Any], rules: dict[str, Any]) -> dict[str, Any]:
    """Return the rules as the column type stores them. Raises Invalid."""
    return kind.check_rules(rules)


def checked_options(
    kind: ColumnType[Any],
    options: Sequence[Option],
    before: Sequence[Option] | None = None,
    *,
    used_ids: Collection[str] = (),
) -> list[Option]:
    """Return the options to store: new ones get an id, omitted ones stay as retired for old values. Raises Invalid.

    `before` are the options of a column that exists, `used_ids` ids that a new option may not get: filters that are
    stored still have them.
    """
    had_options = before is None or _has_live(before)
    if kind.has_options and had_options and not _has_live(options):
        raise Invalid(f"A column of the type {kind.label} needs at least one option.")
    before = before or ()
    ids_before = [*used_ids, *(option.id for option in [*options, *before])]
    numbers = [int(identity[1:]) for identity in ids_before if identity[1:].isdigit()]
    free = iter(range(max(numbers, default=0) + 1, max(numbers, default=0) + len(options) + 1))
    numbered = [option if option.id else replace(option, id=f"o{next(free)}") for option in options]
    ids = {option.id for option in numbered}
    retired = [replace(option, retired=True) for option in before if option.id not in ids]
    return [*kind.check_options(numbered), *retired]


def _has_live(options: Sequence[Option]) -> bool:
    return any(not option.retired for option in options)
