"""Kinds of audit events, by the subject of their actions."""

from enum import StrEnum
from typing import Self


class Kind(StrEnum):
    """What an event is about; `subjects` are the prefixes of its actions."""

    label: str
    subjects: tuple[str, ...]

    def __new__(cls, value: str, label: str = "", subjects: tuple[str, ...] = ()) -> Self:
        member = str.__new__(cls, value)
        member._value_, member.label, member.subjects = value, label, subjects
        return member

    SIGN_INS = "sign-ins", "Signing in and out", ("account:session", "account:sign-in")
    ACCOUNTS = (
        *("accounts", "Accounts and passwords"),
        ("account:user", "account:password", "account:email", "account:second-factor", "account:provider"),
    )
    TOKENS = "tokens", "API tokens", ("account:token",)
    INVITATIONS = "invitations", "Invitations and registration", ("account:invitation", "account:registration")
    TEAMS = "teams", "Teams", ("team:team", "team:member")
    SHARES = "shares", "Sharing and public links", ("sheet:share", "sheet:link")
    COMMENTS = "comments", "Comments", ("sheet:comment",)
    FILES = "files", "Exports and imports", ("sheet:rows", "workspace:audit")
    SHEETS = (
        *("sheets", "Sheets, columns and views"),
        (
            "sheet:sheet",
            "sheet:column",
            "sheet:view",
        ),
    )
    WORKSPACE = (
        *("workspace", "Workspace settings and templates"),
        ("workspace:settings", "workspace:currency", "workspace:rates", "workspace:template"),
    )
    JOBS = "jobs", "Background jobs", ("workspace:job",)

    @property
    def is_of_sheets(self) -> bool:
        """Whether some of these events concern a sheet, so that its owner may see them."""
        return any(subject.startswith("sheet:") for subject in self.subjects)

    @classmethod
    def of(cls, action: str) -> "Kind | None":
        """Return the kind of an action, or None if this version does not know the action."""
        subject = action.rpartition(":")[0]
        return next((kind for kind in cls if subject in kind.subjects), None)
