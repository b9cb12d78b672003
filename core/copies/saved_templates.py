"""Templates that people have saved: the structure of a sheet, offered to everybody who makes a sheet."""

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base import audit
from core.base.actor import Actor, require
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import ROLE_PERMISSIONS, Permission
from core.base.text import folded_key
from core.copies.structure import create_from_structure, structure_of
from core.sheets.sheets import checked_name
from db.tables.sheets import User
from db.tables.workspace import SheetTemplate

MAX_TEMPLATES = 200


@dataclass(frozen=True)
class SavedTemplate:
    """A template, who saved it, and how many columns it has."""

    template_id: int
    name: str
    description: str
    icon: str
    columns: int
    by: str
    may_delete: bool


def saved_templates(session: Session, actor: Actor) -> list[SavedTemplate]:
    """Return the templates by name, for people who can create sheets."""
    require(actor, Permission.SHEETS_CREATE)
    rows = session.execute(select(SheetTemplate, User.name).join(User, User.user_id == SheetTemplate.created_by)).all()
    found = [
        SavedTemplate(
            template.template_id,
            template.name,
            template.structure["description"],
            template.structure["icon"],
            len(template.structure["columns"]),
            by,
            _may_delete(actor, template),
        )
        for template, by in rows
    ]
    return sorted(found, key=lambda template: (folded_key(template.name), template.template_id))


def save_template(session: Session, actor: Actor, sheet_id: int, name: str) -> int:
    """Save the structure of a sheet as a template, without its rows; return its id. For the sheet's owner.

    Everybody who can create sheets sees the names of its columns, choices and views. Raises Invalid.
    """
    access = get_access(session, actor, sheet_id, Permission.SHEET_CONFIGURE)
    name = checked_name(name)
    others = saved_templates(session, actor)
    if len(others) >= MAX_TEMPLATES:
        raise Invalid(f"A workspace has at most {MAX_TEMPLATES} templates. Delete one first.")
    if folded_key(name) in {folded_key(other.name) for other in others}:
        raise Invalid(f"There is already a template “{name}”. Choose another name.")
    structure = structure_of(session, access)
    structure["views"] = [view for view in structure["views"] if view["is_shared"]]
    template = SheetTemplate(name=name, structure=structure, created_by=actor.user_id)
    session.add(template)
    session.flush()
    audit.record(session, actor, "workspace:template:save", sheet_id=sheet_id, name=name)
    return template.template_id


def create_from_template(session: Session, actor: Actor, name: str, template_id: int) -> Access:
    """Create a sheet of the actor from a saved template. Raises NotFound, Invalid and NotAllowed."""
    require(actor, Permission.SHEETS_CREATE)
    template = _get(session, template_id)
    return create_from_structure(session, actor, name, template.structure, label=template.name)


def delete_template(session: Session, actor: Actor, template_id: int) -> None:
    """Delete a saved template; sheets that were made from it stay. For who saved it, and administrators."""
    require(actor, Permission.SHEETS_CREATE)
    template = _get(session, template_id)
    if not _may_delete(actor, template):
        raise NotAllowed("Only the person who saved this template and administrators can delete it.")
    session.execute(delete(SheetTemplate).where(SheetTemplate.template_id == template_id))
    audit.record(session, actor, "workspace:template:delete", name=template.name)


def _get(session: Session, template_id: int) -> SheetTemplate:
    template = session.get(SheetTemplate, template_id, populate_existing=True)
    if template is None:
        raise NotFound("This template does not exist any more.", template=template_id)
    return template


def _may_delete(actor: Actor, template: SheetTemplate) -> bool:
    return template.created_by == actor.user_id or Permission.PEOPLE_MANAGE in ROLE_PERMISSIONS[actor.role]
