"""The principal that a command runs for: a signed-in user, or the visitor of a public link."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.base.errors import NotAllowed
from core.base.permissions import ROLE_PERMISSIONS, Permission, Role


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in user. Read from a live session row for every page run and request, never from session_state."""

    user_id: int
    name: str
    email: str
    role: Role
    session_id: UUID | None = None
    address: str | None = None
    token_id: int | None = None  # The personal API token that the request used instead of a session.

    @property
    def key(self) -> str:
        """A text that identifies the user, for caches and rate limits."""
        return f"user:{self.user_id}"


@dataclass(frozen=True, slots=True)
class Visitor:
    """The visitor of a public link. It has no user id and no rights beyond the link.

    Commands take an Actor; only the few that a link may use take a Principal.
    """

    link_id: int
    sheet_id: int
    visit_id: UUID
    may_export: bool = False
    address: str | None = None
    ends_at: datetime | None = None  # The latest end of the visit.

    @property
    def key(self) -> str:
        """A text that identifies the visit, for caches and rate limits."""
        return f"visit:{self.visit_id}"


Principal = Actor | Visitor


def require(actor: Actor, permission: Permission) -> None:
    """Raise NotAllowed unless the actor's role in the workspace has this permission."""
    if permission not in ROLE_PERMISSIONS[actor.role]:
        raise NotAllowed(f"As {actor.role.label.lower()} you cannot do this. Ask an administrator.")
