"""The live grid: a components-v2 component whose bundle reads and writes rows through the API by itself."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from core.column_types import TYPES, Date, DateTime, LongText, Number, Text, column_type

DIST = Path(__file__).parent / "dist"
ASSETS = "/assets/grid"

# Inline scripts load from a blob: address, where a relative import leads nowhere; hence the page's own origin.
LOADER = """
const grid = import(location.origin + "%s")
export default function (component) {
  grid.then(
    ({ mount }) => mount(component),
    () => { component.parentElement.textContent = "The grid could not be loaded. Reload the page to try again." },
  )
  return () => grid.then(({ unmount }) => unmount(component.parentElement), () => {})
}
"""

# The types of the columns that the grid offers to add for pasted cells.
NEW_TYPES = {
    "line": Text.name,
    "lines": LongText.name,
    "decimal": Number.name,
    "day": Date.name,
    "instant": DateTime.name,
}
DEFAULT_LAYOUT: dict[str, Any] = {
    "widths": {},
    "hidden": [],
    "order": [],
    "frozen": 1,
    "groups": [],
    "totals": {},
    "colors": [],
}
DEFAULT_FORMATS = {"locale": "en-GB", "date": "YYYY-MM-DD", "time_zone": "UTC"}


def show(
    sheet: Mapping[str, Any],
    *,
    key: str,
    me: Mapping[str, Any],
    view: Mapping[str, Any] | None = None,
    layout: Mapping[str, Any] | None = None,
    stored_view: int | None = None,
    stored_version: int | None = None,
    layout_read: int | None = None,
    formats: Mapping[str, str] | None = None,
    version: int | None = None,
    height: int | None = None,
    as_of: str | None = None,
    link: int | None = None,
    tints: Mapping[str, str | list[int]] | None = None,
    on_view: Callable[[], None] | None = None,
    on_open: Callable[[], None] | None = None,
    on_columns: Callable[[], None] | None = None,
) -> Any:
    """The grid of a sheet. Returns what was asked for in this run: `.view`, `.open`, `.columns`, each None or

    view: {"sort": [{"column", "descending"}]} · columns: {"column": id} or {"add": True} ·
    open: a row id, or {"row", "column"} for the history of a cell.
    The same stands in `st.session_state[key]` while `on_view`, `on_open` or `on_columns` runs.

    sheet: what GET /api/v1/sheets/{id} answers (id, name, version, permissions, columns, people).
    me: {"id", "name"} · view: {"sort", "filter", "search"} · layout: the keys of DEFAULT_LAYOUT.
    stored_view, stored_version: the view that a changed layout belongs to, and the version of it that is shown.
    layout_read: another number for a layout that was read anew.
    formats: {"locale": "de-DE", "date": "DD.MM.YYYY", "time_zone": "Europe/Berlin"}; dates know YYYY MMM MM M DD D.
    version: the newest version known; when it is ahead of the grid's, the grid catches up without its socket.
    height: in pixels; None fills the window below the grid's upper edge.
    link: the public link by which the sheet is shown, for which alone the grid then speaks.
    as_of: "version:7" shows the sheet as it was, to be read only, and `tints` by row "added", "deleted" or [columns].
    """
    data = {
        **_rights(sheet["permissions"]),
        "sheet": sheet["id"],
        "name": sheet["name"],
        "me": {"id": str(me["id"]), "name": me["name"]},
        "columns": [column | _traits(column["type"]) for column in sheet["columns"]],
        "owner_column": _owner_column(sheet),
        "stage_column": _stage_column(sheet),
        "new_types": NEW_TYPES,
        "kinds": _kinds(),
        "people": {str(person): name for person, name in sheet["people"].items()},
        "view": dict(view or {}),
        "layout": {**DEFAULT_LAYOUT, **(layout or {})},
        "stored_view": stored_view,
        "stored_version": stored_version,
        "layout_read": layout_read,
        "formats": {**DEFAULT_FORMATS, **(formats or {})},
        "version": sheet["version"] if version is None else version,
        "height": height,
        "as_of": as_of,
        "link": link,
        "tints": tints,
    }
    callbacks = {"on_view_change": on_view, "on_open_change": on_open, "on_columns_change": on_columns}
    return _component()(
        key=key,
        data=data,
        on_refresh_change=_nothing,
        **{name: callback or _nothing for name, callback in callbacks.items()},
    )


def _nothing() -> None:
    """A callback that only lets the result have its attribute."""


def _traits(type_name: str) -> dict[str, Any]:
    """Return the traits of a column's type, and the conditions that it can be filtered by."""
    kind = column_type(type_name)
    filters = [
        {"op": op, "label": row_filter.label, "takes": row_filter.takes} for op, row_filter in kind.filters.items()
    ]
    return kind.grid_traits() | {"filters": filters}


def _kinds() -> list[dict[str, Any]]:
    """Return the types of which a column can be added by its name alone, or with options."""
    return [{"name": kind.name, "label": kind.label, "has_options": kind.has_options} for kind in TYPES.values()]


def _owner_column(sheet: Mapping[str, Any]) -> int | None:
    """Return the column that names the owner of a row: the sheet's, else its only column of people."""
    settings = sheet.get("settings") or {}
    column_id = settings.get("owner_column") or (settings.get("pipeline") or {}).get("owner")
    people = [column["id"] for column in sheet["columns"] if column_type(column["type"]).names_people]
    return column_id or (people[0] if len(people) == 1 else None)


def _stage_column(sheet: Mapping[str, Any]) -> int | None:
    """Return the column of a pipeline's stages; None for other sheets."""
    return ((sheet.get("settings") or {}).get("pipeline") or {}).get("stage")


def _rights(permissions: list[str]) -> dict[str, bool]:
    names = {str(permission) for permission in permissions}
    return {
        "can_edit": "rows:edit" in names,
        "can_add": "rows:add" in names,
        "can_delete": "rows:delete" in names,
        "can_configure": "columns:edit" in names,
        "can_export": "rows:export" in names,
    }


def script() -> str:
    """The file name of the bundle; it changes with its content, so browsers may keep it for ever."""
    (bundle,) = DIST.glob("grid.*.js")
    return bundle.name


@cache
def _component() -> Any:
    # The grid's style sheet must reach the editors at the end of the page, so styles are not isolated.
    return st.components.v2.component("contrivance.grid", js=LOADER % f"{ASSETS}/{script()}", isolate_styles=False)
