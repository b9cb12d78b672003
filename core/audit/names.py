"""Names for the audit trail: what people, sheets, teams, links and columns of events are called now."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from db.tables.sharing import PublicLink, Team
from db.tables.sheets import AuditEvent, Column, Sheet, User


@dataclass(frozen=True)
class Names:
    """Current names by id; sentences use the id where a name no longer exists."""

    people: dict[int, str] = field(default_factory=dict)
    sheets: dict[int, str] = field(default_factory=dict)
    teams: dict[int, str] = field(default_factory=dict)
    links: dict[int, str] = field(default_factory=dict)
    columns: dict[tuple[int, int], str] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, events: Iterable[AuditEvent]) -> Self:
        """Read the names that these events need, with one query per kind of name."""
        events = list(events)
        facts = [event.facts for event in events]
        people = {event.actor_id for event in events} | {fact.get(key) for fact in facts for key in ("user", "before")}
        columns = {(event.sheet_id, event.facts.get("column")) for event in events}
        return cls(
            _read(session, User.user_id, User.name, people),
            _read(session, Sheet.sheet_id, Sheet.name, {event.sheet_id for event in events}),
            _read(session, Team.team_id, Team.name, {fact.get("team") for fact in facts}),
            _read(session, PublicLink.link_id, PublicLink.name, {fact.get("link") for fact in facts}),
            _columns(session, {(s, c) for s, c in columns if isinstance(s, int) and isinstance(c, int)}),
        )


def by_whom(event: AuditEvent, names: Names) -> str | None:
    """Return who did it: a person or the visitor of a link; None if nobody was signed in."""
    if event.actor_id is not None:
        return names.people.get(event.actor_id, f"Person {event.actor_id}")
    return f"A visitor of the link {link_name(event, names)}" if "visit" in event.facts else None


def to_whom(event: AuditEvent, names: Names) -> str | None:
    """Return the person, team or e-mail address that the event concerns, or None."""
    facts = event.facts
    if "user" in facts:
        return names.people.get(facts["user"], str(facts.get("email") or f"person {facts['user']}"))
    if "team" in facts:
        return names.teams.get(facts["team"], str(facts.get("name") or f"team {facts['team']}"))
    address = facts.get("email") or facts.get("account")
    return str(address) if address else None


def quoted(text: object) -> str:
    """Return the text in quotation marks."""
    return f"“{text}”"


def link_name(event: AuditEvent, names: Names) -> str:
    """Return the quoted name of the event's public link."""
    link_id = event.facts.get("link")
    return quoted(event.facts.get("name") or names.links.get(link_id or 0) or f"number {link_id}")


def _read(session: Session, id_column: Any, name_column: Any, values: set[Any]) -> dict[int, str]:
    ids = {value for value in values if type(value) is int}
    if not ids:
        return {}
    return dict(session.execute(select(id_column, name_column).where(id_column.in_(ids))).tuples().all())


def _columns(session: Session, keys: set[tuple[int, int]]) -> dict[tuple[int, int], str]:
    if not keys:
        return {}
    key = tuple_(Column.sheet_id, Column.column_id)
    rows = session.execute(select(Column.sheet_id, Column.column_id, Column.name).where(key.in_(keys)))
    return {(sheet_id, column_id): name for sheet_id, column_id, name in rows}
