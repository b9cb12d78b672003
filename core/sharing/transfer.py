"""Transfer of ownership: by the sheet's owner or, if the owner is deactivated, by an administrator."""

from dataclasses import dataclass

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.base import audit
from core.base.actor import Actor, require
from core.base.errors import Conflict, Invalid, NotFound
from core.base.permissions import ROLE_PERMISSIONS, Level, Permission, Role, RowScope
from core.base.pg_notify import notify_sheet_rights
from db.tables.sheets import Collaborator, Sheet, User


@dataclass(frozen=True)
class OwnedSheet:
    """A sheet's name and owner, which people managers see even for sheets that are not shared with them."""

    sheet_id: int
    name: str
    owner_id: int
    owner: str
    is_orphaned: bool  # Its owner is deactivated: nobody may share or configure it until it is transferred.


def owned_sheets(session: Session, actor: Actor) -> list[OwnedSheet]:
    """Return every sheet with its owner, by name. For administrators, who transfer sheets when a person leaves."""
    require(actor, Permission.PEOPLE_MANAGE)
    return [OwnedSheet(**row) for row in session.execute(_OWNED).mappings()]


def transfer_sheet(session: Session, actor: Actor, sheet_id: int, user_id: int) -> None:
    """Make another person the owner; the previous owner becomes an editor. Raises NotFound, Invalid and Conflict."""
    before = _deactivated_owner(session, actor, sheet_id)
    if before is None:
        before = get_access(session, actor, sheet_id, Permission.SHEET_TRANSFER).sheet.owner_id
    _check_new_owner(session, user_id, before)
    _change_owner(session, sheet_id, before, user_id)
    notify_sheet_rights(session, sheet_id)
    audit.record(session, actor, "sheet:share:transfer", sheet_id=sheet_id, before=before, user=user_id)


def _deactivated_owner(session: Session, actor: Actor, sheet_id: int) -> int | None:
    """Return the owner if they are deactivated and this actor is an administrator, else None."""
    if Permission.PEOPLE_MANAGE not in ROLE_PERMISSIONS[actor.role]:
        return None
    owner_id: int | None = session.scalar(_DEACTIVATED_OWNER, {"sheet": sheet_id})
    return owner_id


def _check_new_owner(session: Session, user_id: int, before: int) -> None:
    """Check the new owner and lock their account, so that nobody deactivates it before the transfer commits."""
    user = session.execute(
        select(User.name, User.role).where(User.user_id == user_id, User.is_active).with_for_update(read=True)
    ).one_or_none()
    if user is None:
        raise NotFound("This person is not in the workspace.")
    if user_id == before:
        raise Invalid(f"{user.name} already owns this sheet.")
    if user.role == Role.ANALYST:
        raise Invalid(f"{user.name} is an analyst and can only read and comment. Choose another owner.")


def _change_owner(session: Session, sheet_id: int, before: int, user_id: int) -> None:
    statement = update(Sheet).where(Sheet.sheet_id == sheet_id, Sheet.owner_id == before).values(owner_id=user_id)
    if session.scalar(statement.returning(Sheet.sheet_id)) is None:
        raise Conflict("This sheet has been transferred already. Reload it.")
    session.execute(delete(Collaborator).where(Collaborator.sheet_id == sheet_id, Collaborator.user_id == user_id))
    editor = {"level": Level.EDITOR.value, "row_scope": RowScope.ALL.value}
    session.execute(
        insert(Collaborator)
        .values(sheet_id=sheet_id, user_id=before, **editor)
        .on_conflict_do_update(index_elements=["sheet_id", "user_id"], set_=editor)
    )


_OWNED = text("""
    SELECT s.sheet_id, s.name, s.owner_id, u.name AS owner, NOT u.is_active AS is_orphaned
    FROM sheets s JOIN users u ON u.user_id = s.owner_id ORDER BY fold_text(s.name) COLLATE "C", s.sheet_id
""")
_DEACTIVATED_OWNER = text("""
    SELECT s.owner_id FROM sheets s JOIN users u ON u.user_id = s.owner_id AND NOT u.is_active WHERE s.sheet_id = :sheet
""")
