"""A sheet and its columns as JSON, for the API and for the grid of a page."""

from collections.abc import Mapping
from typing import Any

from core.access.access import Access, ColumnInfo
from core.base.permissions import Level, Permission
from core.column_types import column_type
from core.computed.definitions import shown_rules


def column_json(access: Access, column: ColumnInfo) -> dict[str, Any]:
    """Return a column as JSON; its limits only for actors who may share the sheet."""
    kind = column_type(column.type)
    return {
        "id": column.column_id,
        "name": column.name,
        "type": column.type,
        "description": column.description,
        "rules": shown_rules(access, column),
        "options": [option.as_stored() for option in column.options],
        "editor": kind.editor if access.may_write(column) else "none",
        "read_only": not access.may_write(column),
        "align_right": kind.aligned_right,
        "default": column.default_value if access.may_write(column) else None,
    } | ({"limits": dict(column.limits)} if Permission.SHEET_SHARE in access.permissions else {})


def sheet_json(access: Access, people: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return a sheet as its reader sees it; the visitor of a link gets only its name, columns and rows.

    `people` are the names in it, by default those of everybody that a person column may name.
    """
    sheet = access.sheet
    content = {
        "id": sheet.sheet_id,
        "name": sheet.name,
        "version": sheet.version,
        "columns_version": sheet.columns_version,
        "level": access.level,
        "permissions": sorted(access.permissions),
        "columns": [column_json(access, column) for column in access.columns],
        "people": dict(access.references.people.names if people is None else people),
    }
    return content if access.level is Level.LINK else content | _details(access)


def _details(access: Access) -> dict[str, Any]:
    """Return what visitors of a link don't see."""
    sheet = access.sheet
    return {
        "description": sheet.description,
        "icon": sheet.icon,
        "workspace_level": sheet.workspace_level,
        "archived_at": sheet.archived_at,
        "settings": _settings(access),
    }


def _settings(access: Access) -> dict[str, Any]:
    """Return the sheet's settings without columns that the actor may not see."""
    settings = dict(access.sheet.settings)
    if "pipeline" in settings:
        settings["pipeline"] = {
            name: column_id for name, column_id in access.sheet.pipeline.items() if column_id in access.by_id
        }
    if settings.get("owner_column") not in access.by_id:
        settings.pop("owner_column", None)
    return settings
