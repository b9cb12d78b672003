"""Sharing: who else may use a sheet, as editor or viewer, one by one or the whole workspace."""

from dataclasses import dataclass

from sqlalchemy import Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import audit
from core.access import get_access
from core.actor import Actor
from core.errors import Invalid, NotFound
from core.notices import notice_sheet_rights
from core.permissions import Level, Permission
from db.tables import Collaborator, Sheet, User

SHAREABLE = (Level.EDITOR, Level.VIEWER)


@dataclass(frozen=True)
class CollaboratorInfo:
    """A person with a level on a sheet."""

    user_id: int
    name: str
    email: str
    level: Level


def collaborators(session: Session, actor: Actor, sheet_id: int) -> list[CollaboratorInfo]:
    """The owner, then everybody the sheet is shared with, by name."""
    access = get_access(session, actor, sheet_id)
    user_id, name, email = session.execute(_person(access.sheet.owner_id)).one()
    owner = CollaboratorInfo(user_id, name, email, Level.OWNER)
    shared = session.execute(
        select(User.user_id, User.name, User.email, Collaborator.level)
        .join(Collaborator, Collaborator.user_id == User.user_id)
        .where(Collaborator.sheet_id == sheet_id, User.is_active)
        .order_by(User.name, User.user_id)
    )
    listed = [CollaboratorInfo(user_id, name, email, Level(level)) for user_id, name, email, level in shared]
    return [owner, *listed]


def share_sheet(session: Session, actor: Actor, sheet_id: int, user_id: int, *, level: Level) -> None:
    """Let a person use the sheet at this level, or change the level that they have."""
    access = get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    if level not in SHAREABLE:
        raise Invalid("A sheet is shared as editor or as viewer.")
    if user_id == access.sheet.owner_id:
        raise Invalid("The owner has every right already.")
    person = session.execute(_person(user_id).where(User.is_active)).one_or_none()
    if person is None:
        raise NotFound("There is no such person in this workspace.")
    row = {"sheet_id": sheet_id, "user_id": user_id, "level": level.value}
    session.execute(
        insert(Collaborator)
        .values(**row)
        .on_conflict_do_update(index_elements=["sheet_id", "user_id"], set_={"level": level.value})
    )
    notice_sheet_rights(session, sheet_id)
    audit.record(session, actor, "sheet:share:grant", sheet_id=sheet_id, user=user_id, level=level.value)


def unshare_sheet(session: Session, actor: Actor, sheet_id: int, user_id: int) -> None:
    """Take the sheet away from a person."""
    get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    gone = session.execute(
        delete(Collaborator).where(Collaborator.sheet_id == sheet_id, Collaborator.user_id == user_id)
    )
    if not gone.rowcount:  # type: ignore[attr-defined]
        raise NotFound("The sheet is not shared with this person.")
    notice_sheet_rights(session, sheet_id)
    audit.record(session, actor, "sheet:share:revoke", sheet_id=sheet_id, user=user_id)


def share_with_workspace(session: Session, actor: Actor, sheet_id: int, *, level: Level | None) -> None:
    """Let everybody of the workspace use the sheet at this level; None takes that back."""
    get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    if level is not None and level not in SHAREABLE:
        raise Invalid("A sheet is shared as editor or as viewer.")
    session.execute(
        update(Sheet).where(Sheet.sheet_id == sheet_id).values(workspace_level=level.value if level else None)
    )
    notice_sheet_rights(session, sheet_id)
    audit.record(session, actor, "sheet:share:workspace", sheet_id=sheet_id, level=level.value if level else None)


def people_to_share_with(session: Session, actor: Actor, sheet_id: int) -> dict[int, str]:
    """Active people whom the sheet is not shared with yet: user id → name and e-mail."""
    present = {person.user_id for person in collaborators(session, actor, sheet_id)}
    rows = session.execute(select(User.user_id, User.name, User.email).where(User.is_active).order_by(User.name))
    return {user_id: f"{name} · {email}" for user_id, name, email in rows if user_id not in present}


def _person(user_id: int) -> Select[int, str, str]:
    return select(User.user_id, User.name, User.email).where(User.user_id == user_id)
