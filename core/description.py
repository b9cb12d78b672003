"""Descriptions: a sheet and its columns as JSON data, the same for programs and for the grid in the page."""

from typing import Any

from core.access import Access, ColumnInfo
from core.column_types import column_type


def column_json(column: ColumnInfo) -> dict[str, Any]:
    """A column as grids and programs need it."""
    kind = column_type(column.type)
    return {
        "id": column.column_id,
        "name": column.name,
        "type": column.type,
        "description": column.description,
        "rules": column.rules,
        "options": [option.as_stored() for option in column.options],
        "editor": kind.editor,
        "align_right": kind.aligned_right,
    }


def sheet_json(access: Access) -> dict[str, Any]:
    """A sheet as its reader sees it."""
    sheet = access.sheet
    return {
        "id": sheet.sheet_id,
        "name": sheet.name,
        "description": sheet.description,
        "icon": sheet.icon,
        "version": sheet.version,
        "columns_version": sheet.columns_version,
        "level": access.level,
        "permissions": sorted(access.permissions),
        "workspace_level": sheet.workspace_level,
        "archived_at": sheet.archived_at,
        "settings": sheet.settings,
        "columns": [column_json(column) for column in access.columns],
        "people": dict(access.people),
    }
