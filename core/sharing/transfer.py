"""Transfer: a sheet gets another owner, from its owner or, where they have left, from an administrator."""

from dataclasses import dataclass

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access.access import get_access
from core.accounts.accounts import require
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Conflict, Invalid, NotFound
from core.base.notify import notice_sheet_rights
from core.base.permissions import ROLE_PERMISSIONS, Level, Permission, Role, RowScope
from db.tables.sheets import Collaborator, Sheet, User


@dataclass(frozen=True)
class OwnedSheet:
    """A sheet by its name alone: whoever manages people learns that it is there and whose, and nothing in it."""

    sheet_id: int
    name: str
    owner_id: int
    owner: str
    is_left: bool  # Its owner is deactivated: nobody may share or change it until it is transferred.


def owned_sheets(session: Session, actor: Actor) -> list[OwnedSheet]:
    """Every sheet with its owner, by name. For administrators: what has to be handed over when somebody leaves."""
    require(actor, Permission.PEOPLE_MANAGE)
    return [OwnedSheet(**found) for found in session.execute(_OWNED).mappings()]


def transfer_sheet(session: Session, actor: Actor, sheet_id: int, user_id: int) -> None:
    """Make somebody else the owner; the one before becomes an editor. NotFound, Invalid: to whom it cannot go."""
    before = _left_by(session, actor, sheet_id)
    if before is None:
        before = get_access(session, actor, sheet_id, Permission.SHEET_TRANSFER).sheet.owner_id
    _check_heir(session, user_id, before)
    _hand_over(session, sheet_id, before, user_id)
    notice_sheet_rights(session, sheet_id)
    audit.record(session, actor, "sheet:share:transfer", sheet_id=sheet_id, before=before, user=user_id)


def _left_by(session: Session, actor: Actor, sheet_id: int) -> int | None:
    """The deactivated owner in whose place an administrator decides; None: it is the owner who does."""
    if Permission.PEOPLE_MANAGE not in ROLE_PERMISSIONS[actor.role]:
        return None
    left: int | None = session.scalar(_LEFT, {"sheet": sheet_id})
    return left


def _check_heir(session: Session, user_id: int, before: int) -> None:
    """Held until the end: nobody is let out while they become an owner."""
    heir = session.execute(
        select(User.name, User.role).where(User.user_id == user_id, User.is_active).with_for_update(read=True)
    ).one_or_none()
    if heir is None:
        raise NotFound("There is no such person in this workspace.")
    if user_id == before:
        raise Invalid(f"{heir.name} owns this sheet already.")
    if heir.role == Role.ANALYST:
        raise Invalid(f"{heir.name} is an analyst, who reads and comments. Choose somebody else as owner.")


def _hand_over(session: Session, sheet_id: int, before: int, user_id: int) -> None:
    taken = update(Sheet).where(Sheet.sheet_id == sheet_id, Sheet.owner_id == before).values(owner_id=user_id)
    if session.scalar(taken.returning(Sheet.sheet_id)) is None:
        raise Conflict("Somebody has transferred this sheet meanwhile. Look at it again.")
    session.execute(delete(Collaborator).where(Collaborator.sheet_id == sheet_id, Collaborator.user_id == user_id))
    stays = {"level": Level.EDITOR.value, "row_scope": RowScope.ALL.value}
    session.execute(
        insert(Collaborator)
        .values(sheet_id=sheet_id, user_id=before, **stays)
        .on_conflict_do_update(index_elements=["sheet_id", "user_id"], set_=stays)
    )


_OWNED = text("""
    SELECT s.sheet_id, s.name, s.owner_id, u.name AS owner, NOT u.is_active AS is_left
    FROM sheets s JOIN users u ON u.user_id = s.owner_id ORDER BY fold_text(s.name) COLLATE "C", s.sheet_id
""")
_LEFT = text("""
    SELECT s.owner_id FROM sheets s JOIN users u ON u.user_id = s.owner_id AND NOT u.is_active WHERE s.sheet_id = :sheet
""")
