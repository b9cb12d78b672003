"""Row ownership: what people who see only some rows of a sheet may write into the column of the row's owner."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.base.errors import Invalid, NotAllowed
from core.base.exact_json import Value


def assign_default_owner(access: Access, values: dict[int, Value | None]) -> None:
    """Give a new row without an owner to the person who adds it. Raise Invalid for a row that they may not see."""
    if access.owners is None:
        return
    column = require_owner_column(access)
    owner = values.get(column.column_id)
    if owner is None:
        values[column.column_id] = str(access.actor.user_id)
    elif owner not in access.owners:
        raise Invalid(f"You add rows of {_whose(access)} here: leave “{column.name}” empty, or name one of these.")


def unassign_refusal(access: Access) -> str:
    """Return why a row may not lose its owner. It may be transferred to another person, and leaves this view then."""
    return f"You can't clear the owner of a row of {_whose(access)}. Choose a new owner."


def assign_default_owner_staged(session: Session, access: Access) -> None:
    """Give the staged rows of an import without an owner to the person who imports them. Raise Invalid as above."""
    if access.owners is None:
        return
    column = require_owner_column(access)
    parameters = {"key": column.key, "me": str(access.actor.user_id), "owners": [*access.owners]}
    session.execute(_ASSIGN_STAGED, parameters)
    if session.execute(_FOREIGN, parameters).first():
        raise Invalid(f"You import rows of {_whose(access)} here, and “{column.name}” names others in the file.")


def require_owner_column(access: Access) -> ColumnInfo:
    """Return the column of the row's owner. Raise NotAllowed where the sheet has none."""
    if access.owner_column is None:
        raise NotAllowed(
            f"“{access.sheet.name}” no longer has a column for the owner of a row, and you see only your own rows. "
            "Ask the owner of the sheet."
        )
    return access.owner_column


def _whose(access: Access) -> str:
    return "your own" if access.owners == (str(access.actor.user_id),) else "your team"


_ASSIGN_STAGED = text("""
    UPDATE staged_rows SET values = values || jsonb_build_object(CAST(:key AS text), CAST(:me AS text))
    WHERE values ->> CAST(:key AS text) IS NULL
""")
_FOREIGN = text("""
    SELECT 1 FROM staged_rows WHERE values ->> CAST(:key AS text) <> ALL(CAST(:owners AS text[])) LIMIT 1
""")
