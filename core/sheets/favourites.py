"""Favourites: the sheets that a person has marked with a star, in their own navigation only."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.base.actor import Actor


@dataclass(frozen=True, slots=True)
class NavigationSheet:
    """A sheet as the navigation lists it."""

    sheet_id: int
    name: str
    icon: str
    is_favourite: bool


def navigation_sheets(session: Session, actor: Actor) -> list[NavigationSheet]:
    """Return the sheets that this actor may see, without archived ones, by name."""
    return [NavigationSheet(*row) for row in session.execute(_LIST, {"user": actor.user_id})]


def set_favourite(session: Session, actor: Actor, sheet_id: int, *, is_favourite: bool) -> None:
    """Mark a sheet as a favourite of the actor, or take the mark away. Raises NotFound."""
    get_access(session, actor, sheet_id)
    session.execute(_SET, {"user": actor.user_id, "sheet": str(sheet_id), "is_favourite": is_favourite})


_LIST = text("""
    SELECT s.sheet_id, s.name, s.icon,
           coalesce(u.preferences -> 'favourites' @> to_jsonb(CAST(s.sheet_id AS text)), false)
    FROM sheet_levels l
    JOIN sheets s ON s.sheet_id = l.sheet_id
    JOIN users u ON u.user_id = l.user_id
    WHERE l.user_id = :user AND l.level IS NOT NULL AND s.archived_at IS NULL
    ORDER BY fold_text(s.name) COLLATE "C", s.sheet_id
""")
_SET = text("""
    UPDATE users SET preferences = jsonb_set(
        preferences, '{favourites}', coalesce(preferences -> 'favourites', '[]') - CAST(:sheet AS text)
            || CASE WHEN :is_favourite THEN jsonb_build_array(CAST(:sheet AS text)) ELSE '[]' END)
    WHERE user_id = :user
""")
