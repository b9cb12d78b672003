"""Ownership: what somebody who sees only some rows of a sheet may write into the column that says whose a row is."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.base.errors import Invalid, NotAllowed
from core.base.exact_json import Value


def own(access: Access, values: dict[int, Value | None]) -> None:
    """Give a new row an owner where it names none: whoever adds it. Raises Invalid for a row that they may not see."""
    if access.owners is None:
        return
    column = owner_column(access)
    owner = values.get(column.column_id)
    if owner is None:
        values[column.column_id] = str(access.actor.user_id)
    elif owner not in access.owners:
        raise Invalid(f"You add rows of {_whose(access)} here: leave “{column.name}” empty, or name one of these.")


def refuse_losing(access: Access, column: ColumnInfo, value: Value | None) -> None:
    """Raise Invalid where a row would become nobody's. It may be handed over to somebody else: it then leaves."""
    if value is None and access.owners is not None and column.column_id == access.sheet.owner_column:
        raise Invalid(f"A row of {_whose(access)} cannot become nobody's: name whoever takes it over.")


def own_staged(session: Session, access: Access) -> None:
    """The same for the staged rows of an import."""
    if access.owners is None:
        return
    column = owner_column(access)
    parameters = {"key": column.key, "me": str(access.actor.user_id), "owners": [*access.owners]}
    session.execute(_OWN_STAGED, parameters)
    if session.execute(_FOREIGN, parameters).first():
        raise Invalid(f"You import rows of {_whose(access)} here, and “{column.name}” names others in the file.")


def owner_column(access: Access) -> ColumnInfo:
    """The column that says whose a row is. NotAllowed where the sheet has none: then nobody has rows of their own."""
    if access.owner_column is None:
        raise NotAllowed(
            f"“{access.sheet.name}” has no column any more that says whose a row is, and you are given only your own. "
            "Ask its owner."
        )
    return access.owner_column


def _whose(access: Access) -> str:
    return "your own" if access.owners == (str(access.actor.user_id),) else "your team"


_OWN_STAGED = text("""
    UPDATE staged_rows SET values = values || jsonb_build_object(CAST(:key AS text), CAST(:me AS text))
    WHERE values ->> CAST(:key AS text) IS NULL
""")
_FOREIGN = text("""
    SELECT 1 FROM staged_rows WHERE values ->> CAST(:key AS text) <> ALL(CAST(:owners AS text[])) LIMIT 1
""")
