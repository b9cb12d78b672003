"""Who may do what, as one table: each workspace role and each sheet level has the set of its permissions."""

from enum import StrEnum
from typing import Self


class Permission(StrEnum):
    """What a command may require. The part before the colon says on what."""

    SHEETS_CREATE = "sheets:create"
    PEOPLE_SEE = "people:see"
    PEOPLE_MANAGE = "people:manage"
    SHEET_SEE = "sheet:see"
    SHEET_CONFIGURE = "sheet:configure"
    SHEET_SHARE = "sheet:share"
    SHEET_ARCHIVE = "sheet:archive"
    COLUMNS_EDIT = "columns:edit"
    ROWS_SEE = "rows:see"
    ROWS_EDIT = "rows:edit"
    ROWS_ADD = "rows:add"
    ROWS_DELETE = "rows:delete"
    ROWS_IMPORT = "rows:import"
    ROWS_EXPORT = "rows:export"
    HISTORY_SEE = "history:see"


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
    """What a personal API token may be used for, within what its person may do."""

    READ = "read", "Read"
    WRITE = "write", "Read and write"
    ADMIN = "admin", "Read, write and administer"


class Level(_Labelled):
    """What a person is to one sheet."""

    OWNER = "owner", "Owner"
    EDITOR = "editor", "Editor"
    VIEWER = "viewer", "Viewer"


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset({P.SHEETS_CREATE, P.PEOPLE_SEE, P.PEOPLE_MANAGE}),
    Role.MANAGER: frozenset({P.SHEETS_CREATE, P.PEOPLE_SEE}),
    Role.MEMBER: frozenset({P.SHEETS_CREATE, P.PEOPLE_SEE}),
    Role.ANALYST: frozenset({P.PEOPLE_SEE}),
}

_VIEWER = frozenset({P.SHEET_SEE, P.ROWS_SEE, P.ROWS_EXPORT, P.HISTORY_SEE})
_EDITOR = _VIEWER | {P.ROWS_EDIT, P.ROWS_ADD, P.ROWS_DELETE, P.ROWS_IMPORT}
_OWNER = _EDITOR | {P.SHEET_CONFIGURE, P.SHEET_SHARE, P.SHEET_ARCHIVE, P.COLUMNS_EDIT}

LEVEL_PERMISSIONS: dict[Level, frozenset[Permission]] = {
    Level.OWNER: _OWNER,
    Level.EDITOR: _EDITOR,
    Level.VIEWER: _VIEWER,
}
