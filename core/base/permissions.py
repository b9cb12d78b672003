"""The permissions of each workspace role and each sheet level, as one table."""

from enum import StrEnum
from typing import Self


class Permission(StrEnum):
    """A permission that a command requires. The part before the colon is its object."""

    SHEETS_CREATE = "sheets:create"
    PEOPLE_SEE = "people:see"
    PEOPLE_MANAGE = "people:manage"
    TEAMS_MANAGE = "teams:manage"
    AUDIT_SEE = "audit:see"
    SHEET_SEE = "sheet:see"
    SHEET_CONFIGURE = "sheet:configure"
    SHEET_SHARE = "sheet:share"
    SHEET_ARCHIVE = "sheet:archive"
    SHEET_TRANSFER = "sheet:transfer"
    COLUMNS_EDIT = "columns:edit"
    VIEWS_EDIT = "views:edit"
    ROWS_SEE = "rows:see"
    ROWS_EDIT = "rows:edit"
    ROWS_ADD = "rows:add"
    ROWS_DELETE = "rows:delete"
    ROWS_IMPORT = "rows:import"
    ROWS_EXPORT = "rows:export"
    HISTORY_SEE = "history:see"
    PEERS_SEE = "peers:see"
    COMMENTS_SEE = "comments:see"
    COMMENTS_WRITE = "comments:write"


P = Permission


class _Labelled(StrEnum):
    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member


class Role(_Labelled):
    """A person's role in the workspace."""

    ADMIN = "admin", "Administrator"
    MANAGER = "manager", "Manager"
    MEMBER = "member", "Member"
    ANALYST = "analyst", "Analyst"


class Scope(_Labelled):
    """The scope of a personal API token, within the rights of its user."""

    READ = "read", "Read"
    WRITE = "write", "Read and write"
    ADMIN = "admin", "Read, write and administer"


class Level(_Labelled):
    """The level of a principal on one sheet: LINK for visitors of a public link, one of the others for users."""

    OWNER = "owner", "Owner"
    EDITOR = "editor", "Editor"
    COMMENTER = "commenter", "Commenter"
    VIEWER = "viewer", "Viewer"
    LINK = "link", "Public link"

    @property
    def with_article(self) -> str:
        """The label with its article: an editor."""
        return f"{'an' if self.label[0] in 'AEIOU' else 'a'} {self.label.lower()}"


class RowScope(_Labelled):
    """The rows of a sheet that a share covers, decided by the current value of the sheet's owner column."""

    ALL = "all", "All rows"
    TEAM = "team", "Their team's rows"
    OWN = "own", "Their own rows"


class Audience(_Labelled):
    """An audience for which a column can be hidden or read-only: a level, users with own rows only, or visitors."""

    EDITOR = "editor", "Editors"
    COMMENTER = "commenter", "Commenters"
    VIEWER = "viewer", "Viewers"
    OWN_ROWS = "own", "People with their own rows"
    LINK = "link", "Public links"


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset({P.SHEETS_CREATE, P.PEOPLE_SEE, P.PEOPLE_MANAGE, P.TEAMS_MANAGE, P.AUDIT_SEE}),
    Role.MANAGER: frozenset({P.SHEETS_CREATE, P.PEOPLE_SEE, P.TEAMS_MANAGE}),
    Role.MEMBER: frozenset({P.SHEETS_CREATE, P.PEOPLE_SEE}),
    Role.ANALYST: frozenset({P.PEOPLE_SEE}),
}

# A visitor sees rows but no information about people: no presence, no history, no comments.
_LINK = frozenset({P.SHEET_SEE, P.ROWS_SEE})
_VIEWER = _LINK | {P.ROWS_EXPORT, P.HISTORY_SEE, P.PEERS_SEE, P.COMMENTS_SEE}
_COMMENTER = _VIEWER | {P.COMMENTS_WRITE}
_EDITOR = _COMMENTER | {P.ROWS_EDIT, P.ROWS_ADD, P.ROWS_DELETE, P.ROWS_IMPORT, P.VIEWS_EDIT}
_OWNER = _EDITOR | {P.SHEET_CONFIGURE, P.SHEET_SHARE, P.SHEET_ARCHIVE, P.SHEET_TRANSFER, P.COLUMNS_EDIT}

LEVEL_PERMISSIONS: dict[Level, frozenset[Permission]] = {
    Level.OWNER: _OWNER,
    Level.EDITOR: _EDITOR,
    Level.COMMENTER: _COMMENTER,
    Level.VIEWER: _VIEWER,
    Level.LINK: _LINK,
}
