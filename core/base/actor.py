"""Who acts: the person behind a request, as every command is told."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.base.permissions import Role


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person. Made from a live session row on every run and request, never from session_state."""

    user_id: int
    name: str
    email: str
    role: Role
    session_id: UUID | None = None
    address: str | None = None
    token_id: int | None = None  # Of the personal API token that speaks for the person, in place of a session.

    @property
    def key(self) -> str:
        """The same text for the same person, and for nobody else."""
        return f"user:{self.user_id}"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever came by a public link: a principal of its own kind, never a weak person. It has no id of a user.

    Commands take an Actor; only those few that a link may use take a Principal.
    """

    link_id: int
    sheet_id: int
    visit_id: UUID
    may_export: bool = False
    address: str | None = None
    ends_at: datetime | None = None  # When the visit is over at the latest.

    @property
    def key(self) -> str:
        """The same text for the same visit."""
        return f"visit:{self.visit_id}"


Principal = Actor | Visitor
