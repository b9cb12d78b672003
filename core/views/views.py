"""Views of a sheet: those of everybody and a person's own, as this person sees them."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.base.errors import NotFound
from core.rows.query import View
from core.views.settings import EMPTY, Settings, fitting_settings, view_of

# A resized column is not worth a question whether everybody shall have it; it is saved with other changes.
SILENT = {"widths"}
BINDING = {"filter", "search", "hidden"}
NO_VIEW = "This view does not exist, or it is not yours. It may have been deleted."


@dataclass(frozen=True)
class ViewInfo:
    """A view as one person sees it, with what they changed on it for themselves."""

    view_id: int
    name: str
    kind: str
    is_shared: bool
    position: int
    version: int
    changed_by: str
    base_version: int
    is_last: bool
    stored: Settings = field(repr=False)
    own: Settings = field(repr=False)
    access: Access = field(repr=False)

    @cached_property
    def settings(self) -> Settings:
        """The settings that everybody has, as far as this person's columns allow."""
        return fitting_settings(self.access, self.kind, self.stored)[0]

    @cached_property
    def changes(self) -> Settings:
        """The settings that this person changed for themselves, as far as their columns allow."""
        own = fitting_settings(self.access, self.kind, self.own)[0]
        return {key: value for key, value in own.items() if value != self.settings.get(key, EMPTY.get(key))}

    @property
    def shown(self) -> Settings:
        """The settings by which this person sees the rows."""
        return self.settings | self.changes

    @property
    def has_changes(self) -> bool:
        """Whether this person changed something that others would see if it were saved for everyone."""
        return bool(set(self.changes) - SILENT)

    @cached_property
    def is_incomplete(self) -> bool:
        """Whether a condition, sort or rule is left out, because its column was removed or is hidden."""
        return fitting_settings(self.access, self.kind, self.stored | self.own)[1]

    @property
    def view(self) -> View:
        """The rows that this person sees, in their order."""
        return view_of(self.shown)

    def narrowed(self, view: View) -> View:
        """Return the rows of this view that another one lets through as well; its sort and search take precedence."""
        own = self.view
        return replace(view, sort=view.sort or own.sort, search=view.search or own.search).where(*own.filter)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.view_id,
            "name": self.name,
            "kind": self.kind,
            "shared": self.is_shared,
            "version": self.version,
            "settings": self.settings,
            "changes": self.changes,
            "base_version": self.base_version,
            "incomplete": self.is_incomplete,
        }


def views(session: Session, access: Access) -> list[ViewInfo]:
    """Return the views of everybody, then this person's own, in their order. Raises NotAllowed for a visitor."""
    parameters = {"sheet": access.sheet.sheet_id, "user": access.actor.user_id}
    return [ViewInfo(**row, access=access) for row in session.execute(_VIEWS, parameters).mappings()]


def get_view(session: Session, access: Access, view_id: int) -> ViewInfo:
    """Return a view of the sheet. Raises NotFound where there is none that this person may see."""
    view = next((view for view in views(session, access) if view.view_id == view_id), None)
    if view is None:
        raise NotFound(NO_VIEW, view=view_id)
    return view


def last_view(listed: list[ViewInfo]) -> ViewInfo:
    """Return the view that this person opened last, else the sheet's first. Raises NotFound where there is none."""
    if not listed:
        raise NotFound(NO_VIEW)
    return next((view for view in listed if view.is_last), listed[0])


def first_view(session: Session, access: Access) -> ViewInfo:
    """Return the first view of everybody. Raises NotFound where there is none."""
    listed = views(session, access)
    if not listed:
        raise NotFound(NO_VIEW)
    return listed[0]


def link_settings(access: Access) -> Settings:
    """Return how the view of a public link draws its rows, as far as its visitor may know; empty without a view.

    Filter, search and hidden columns are left out: they bind the visitor already.
    """
    view = access.link_view
    if view is None:
        return {}
    drawn = {key: value for key, value in view.settings.items() if key not in BINDING}
    return fitting_settings(access, view.kind, drawn)[0]


_VIEWS = text("""
    SELECT v.view_id, v.name, v.kind, v.owner_id IS NULL AS is_shared, v.position, v.version,
           coalesce(u.name, '') AS changed_by, coalesce(s.base_version, v.version) AS base_version,
           s.opened_at IS NOT NULL AND s.opened_at = max(s.opened_at) OVER () AS is_last,
           v.settings AS stored, coalesce(s.changes, '{}') AS own
    FROM views v
    LEFT JOIN view_states s ON s.view_id = v.view_id AND s.user_id = :user
    LEFT JOIN users u ON u.user_id = v.changed_by
    WHERE v.sheet_id = :sheet AND (v.owner_id IS NULL OR v.owner_id = :user)
    ORDER BY v.owner_id IS NOT NULL, v.position, v.view_id
""")
