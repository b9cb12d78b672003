"""Rules and options of a column, checked before they are stored."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.column_types.base import ColumnType, Option


def checked_rules(kind: ColumnType[Any], rules: dict[str, Any]) -> dict[str, Any]:
    """The rules as the type takes them. Raises Invalid."""
    return kind.check_rules(rules)


def checked_options(kind: ColumnType[Any], options: Sequence[Option], before: Sequence[Option] = ()) -> list[Option]:
    """The options to store: new ones get the next id, those left out stay as retired, so that old values show."""
    taken = [int(option.id[1:]) for option in [*options, *before] if option.id[1:].isdigit()]
    fresh = iter(range(max(taken, default=0) + 1, max(taken, default=0) + len(options) + 1))
    kept = [option if option.id else replace(option, id=f"o{next(fresh)}") for option in options]
    ids = {option.id for option in kept}
    retired = [replace(option, retired=True) for option in before if option.id not in ids]
    return [*kind.check_options(kept), *retired]
