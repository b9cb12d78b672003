"""The structure of a sheet: its columns, settings and views, as far as one person sees them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.base.actor import Actor
from core.base.permissions import Permission
from core.column_types import column_type
from core.column_types.traits import IdSource
from core.sheets.sheets import create_sheet
from core.sheets.templates import Template
from core.views.settings import fitting_settings
from core.views.views import views
from db.tables.sheets import Column, Sheet
from db.tables.views import StoredView

# Column ids, settings, the settings of views and formulas refer to each other, so a copy keeps the ids.
Structure = dict[str, Any]


def copied_columns(access: Access) -> list[ColumnInfo]:
    """Return the columns of a copy: those that the person sees, without relations and what is computed from these.

    A relation belongs to the sheet that stores it, and its mirror to the other sheet.
    """
    left_out = {column.column_id for column in access.every_column if column_type(column.type).ids_of is IdSource.ROWS}
    left_out |= {column.column_id for column in access.every_column if column.column_id not in access.by_id}
    columns = list(access.columns)
    while remaining := [column for column in columns if column.column_id in left_out or set(column.inputs) & left_out]:
        left_out |= {column.column_id for column in remaining}
        columns = [column for column in columns if column.column_id not in left_out]
    return columns


def structure_of(session: Session, access: Access) -> Structure:
    """Return the structure of a sheet as JSON data."""
    columns = copied_columns(access)
    ids = {column.column_id for column in columns}
    settings: dict[str, Any] = {}
    if access.sheet.pipeline.get("stage") in ids:
        settings["pipeline"] = {role: number for role, number in access.sheet.pipeline.items() if number in ids}
    if (owner_column := access.sheet.settings.get("owner_column")) in ids:
        settings["owner_column"] = owner_column
    return {
        "icon": access.sheet.icon,
        "description": access.sheet.description,
        "settings": settings,
        "columns": [_column_json(access, column) for column in columns],
        "views": [
            {"name": view.name, "kind": view.kind, "settings": view.settings, "is_shared": view.is_shared}
            for view in views(session, access)
        ],
    }


def create_from_structure(
    session: Session, actor: Actor, name: str, structure: Mapping[str, Any], *, label: str
) -> Access:
    """Create a sheet of the actor with a structure. `label` says in the audit trail what it is made of.

    Raises Invalid and NotAllowed.
    """
    template = Template(label, structure["description"], structure["icon"])
    sheet_id = create_sheet(session, actor, name, template=template).sheet.sheet_id
    columns = [
        Column(sheet_id=sheet_id, position=position, **column)
        for position, column in enumerate(structure["columns"], start=1)
    ]
    session.add_all(columns)
    session.flush()
    values = {
        "settings": structure["settings"],
        "last_column_id": max((column.column_id for column in columns), default=0),
        "columns_version": Sheet.columns_version + 1,
    }
    session.execute(update(Sheet).where(Sheet.sheet_id == sheet_id).values(**values))
    access = get_access(session, actor, sheet_id)
    _replace_views(session, access, structure["views"])
    return access


def _replace_views(session: Session, access: Access, structures: list[Mapping[str, Any]]) -> None:
    """Store the views in place of the first one, without what the columns of the copy do not allow."""
    sheet_id, user_id = access.sheet.sheet_id, access.actor.user_id
    if not any(structure["is_shared"] for structure in structures):
        return
    session.execute(delete(StoredView).where(StoredView.sheet_id == sheet_id))
    for position, structure in enumerate(structures, start=1):
        view = StoredView(
            sheet_id=sheet_id,
            owner_id=None if structure["is_shared"] else user_id,
            name=structure["name"],
            kind=structure["kind"],
            position=position,
            settings=fitting_settings(access, structure["kind"], structure["settings"])[0],
            created_by=user_id,
        )
        session.add(view)
    session.flush()


def _column_json(access: Access, column: ColumnInfo) -> dict[str, Any]:
    sees_limits = Permission.SHEET_SHARE in access.permissions
    return {
        "column_id": column.column_id,
        "name": column.name,
        "type": column.type,
        "description": column.description,
        "rules": column.rules,
        "options": [option.as_stored() for option in column.options],
        "limits": dict(column.limits) if sees_limits else {},
        "slot": column.slot,
        "default_value": column.default_value,
    }
