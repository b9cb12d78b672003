"""What the stages of a column meant at a moment: their kind and probability, kept since this is recorded."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import text

from core.access.access import Access, ColumnInfo
from core.column_types.base import Option


def options_at(access: Access, column: ColumnInfo) -> Sequence[Option]:
    """Return the options of a column with the kind and probability that they had at the moment of the access."""
    if not access.is_past:
        return column.options
    parameters = {
        "sheet": access.sheet.sheet_id,
        "column": column.column_id,
        "version": access.sheet.version,
        "at": access.moment,
    }
    meanings = {line.option_id: line for line in access.session.execute(_MEANINGS, parameters)}
    return [
        replace(option, kind=meanings[option.id].kind, probability=meanings[option.id].probability)
        if option.id in meanings
        else option
        for option in column.options
    ]


# A version without an instant is that of its last change. What was in use before this was recorded is assumed.
_MEANINGS = text("""
    SELECT DISTINCT ON (option_id) option_id, kind, probability FROM stage_meanings
    WHERE sheet_id = :sheet AND column_id = :column AND since <= coalesce(
        CAST(:at AS timestamptz),
        (SELECT max(effective_at) FROM changes WHERE sheet_id = :sheet AND version = :version), now())
    ORDER BY option_id, since DESC
""")
