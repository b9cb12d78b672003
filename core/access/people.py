"""The people whom cells of person columns may name, and those whom visible cells do name."""

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.access.row_gate import RowGate, visible_sql
from core.column_types.base import PeopleDirectory
from db.folding import folded
from db.tables.sheets import User


def workspace_people(session: Session) -> PeopleDirectory:
    """Everyone with an account, in the order of their names."""
    rows = session.execute(select(User.user_id, User.name, User.email).order_by(folded(User.name), User.user_id)).all()
    names = {str(user_id): name for user_id, name, _ in rows}
    return PeopleDirectory(names, {email: str(user_id) for user_id, _, email in rows})


def people_in_visible_cells(session: Session, gate: RowGate, keys: Sequence[str]) -> PeopleDirectory:
    """Return the names of the people in the cells of some columns, by their keys, in the rows of a gate. No e-mails."""
    if not keys:
        return PeopleDirectory()
    rows = session.execute(_PEOPLE_IN_VISIBLE_CELLS, gate.parameters() | {"keys": [*keys]})
    return PeopleDirectory({str(user_id): name for user_id, name in rows})


_PEOPLE_IN_VISIBLE_CELLS = text(f"""
    SELECT u.user_id, u.name FROM users u
    WHERE CAST(u.user_id AS text) IN (
        SELECT r.values ->> k FROM rows r CROSS JOIN unnest(CAST(:keys AS text[])) k WHERE {visible_sql("r")})
    ORDER BY u.name, u.user_id
""")  # noqa: S608 - the gate is a constant.
