"""The people whom cells of person columns may name, and those whom visible cells do name."""

from collections.abc import Sequence

from sqlalchemy import Text, select, union
from sqlalchemy.orm import Session

from core.access.row_gate import RowGate
from core.column_types.base import PeopleDirectory
from db.folding import folded
from db.tables.sheets import Row, User


def workspace_people(session: Session) -> PeopleDirectory:
    """Everyone with an account, in the order of their names."""
    rows = session.execute(select(User.user_id, User.name, User.email).order_by(folded(User.name), User.user_id)).all()
    names = {str(user_id): name for user_id, name, _ in rows}
    return PeopleDirectory(names, {email: str(user_id) for user_id, _, email in rows})


def people_in_visible_cells(session: Session, gate: RowGate, keys: Sequence[str]) -> PeopleDirectory:
    """Return the names of the people in the cells of some columns, by their keys, in the rows of a gate. No e-mails."""
    if not keys:
        return PeopleDirectory()
    cells = [select(Row.values.op("->>", return_type=Text())(key)).where(gate.visible_rows()) for key in keys]
    people = select(User.user_id, User.name).where(User.user_id.cast(Text).in_(union(*cells)))
    rows = session.execute(people.order_by(User.name, User.user_id))
    return PeopleDirectory({str(user_id): name for user_id, name in rows})
