"""Search for active users by name, address or team."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.base.actor import Actor, require
from core.base.permissions import Permission, Role
from db.folding import fold
from db.tables.sheets import User

MAX_RESULTS = 100
MAX_SEARCH_LENGTH = 200


@dataclass(frozen=True)
class Colleague:
    """An active user as other users see them. `teams` are sorted by name."""

    user_id: int
    name: str
    email: str
    role: Role
    teams: tuple[str, ...]


def find_people(session: Session, actor: Actor, search: str = "", *, limit: int = MAX_RESULTS) -> list[Colleague]:
    """Return users whose name, address or teams contain every word of the search, by name; at most MAX_RESULTS."""
    require(actor, Permission.PEOPLE_SEE)
    words = search[:MAX_SEARCH_LENGTH].replace("\x00", " ").split()
    rows = session.execute(_FIND, {"words": [fold(word) for word in words], "limit": min(limit, MAX_RESULTS)})
    return [Colleague(row.user_id, row.name, row.email, Role(row.role), tuple(row.teams)) for row in rows]


def names_of(session: Session, user_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of people, active or not, by their number as text; unknown numbers are left out."""
    numbers = [int(user_id) for user_id in user_ids if user_id.isascii() and user_id.isdigit() and len(user_id) < 10]
    if not numbers:
        return {}
    names = select(User.user_id, User.name).where(User.user_id.in_(numbers))
    return {str(user_id): name for user_id, name in session.execute(names)}


def find_names(session: Session, search: str, *, limit: int = MAX_RESULTS) -> dict[int, str]:
    """Return the names, by user id, of users, active or not, whose name contains every word of the search."""
    words = search[:MAX_SEARCH_LENGTH].replace("\x00", " ").split()
    rows = session.execute(_FIND_NAMES, {"words": [fold(word) for word in words], "limit": limit})
    return dict(rows.tuples().all())


_FIND_NAMES = text("""
    SELECT user_id, name FROM users
    WHERE NOT EXISTS (
        SELECT FROM unnest(CAST(:words AS text[])) word WHERE strpos(fold_text(name), word) = 0
    )
    ORDER BY fold_text(name) COLLATE "C", user_id LIMIT :limit
""")


# A workspace has hundreds of users, so no index is needed. `strpos` has no wildcards.
_FIND = text("""
    SELECT u.user_id, u.name, u.email, u.role, t.teams
    FROM users u CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(t.name ORDER BY fold_text(t.name) COLLATE "C"), '{}') AS teams
        FROM team_members m JOIN teams t ON t.team_id = m.team_id
        WHERE m.user_id = u.user_id AND m.accepted_at IS NOT NULL
    ) t
    WHERE u.is_active AND NOT EXISTS (
        SELECT FROM unnest(CAST(:words AS text[])) word
        WHERE strpos(fold_text(concat_ws(' ', u.name, u.email, array_to_string(t.teams, ' '))), word) = 0
    )
    ORDER BY fold_text(u.name) COLLATE "C", u.user_id LIMIT :limit
""")
