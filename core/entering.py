"""Entering a sheet: who acts in a session and what they may see of a sheet, read together as a request begins."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.access import LOAD_SQL, known_version, remember
from core.actor import Actor
from core.sessions import WHO_SQL, actor_from
from db.quick import Quick


def enter(session: Session, session_id: str, sheet_id: int, *, address: str | None) -> Actor | None:
    """Who acts, as core.sessions.actor_of_session tells; what they may see waits for the next get_access()."""
    key = _key(session_id)
    if key is None:
        return None
    parameters = {"id": key, "sheet": sheet_id, "known": known_version(session, sheet_id)}
    found = _ENTER.row(session, parameters)
    return _entered(session, found, key, address) if found else None


def enter_together(session: Session, askers: Sequence[tuple[str, int, str | None]]) -> list[Actor | None]:
    """The same for many (session id, sheet, address), in one statement."""
    if len(askers) == 1:  # The statement for one takes a quarter of the time.
        return [enter(session, session_id, sheet_id, address=address) for session_id, sheet_id, address in askers]
    keys = [_key(session_id) for session_id, _, _ in askers]
    sheets = [sheet_id for _, sheet_id, _ in askers]
    known = [known_version(session, sheet_id) for sheet_id in sheets]
    found = _ENTER_TOGETHER.all(session, {"ids": keys, "sheets": sheets, "known": known})
    actors: list[Actor | None] = [None] * len(askers)
    for line in found:
        place = line["place"] - 1
        actors[place] = _entered(session, line, line["session_id"], askers[place][2])
    return actors


def _key(session_id: str) -> UUID | None:
    try:
        return UUID(session_id)
    except ValueError:
        return None


def _entered(session: Session, found: dict[str, Any], session_id: UUID, address: str | None) -> Actor | None:
    actor = actor_from({**found, "name": found["user_name"]}, session_id, address)
    if actor and found["sheet_id"] is not None:
        remember(session, actor, found)
    return actor


_FIELDS = "who.user_id, who.name AS user_name, who.email, who.role, entered.*"
_ENTERED = LOAD_SQL.replace(":user", "who.user_id")
_ENTER = Quick(f"""
    SELECT {_FIELDS} FROM ({WHO_SQL}) who LEFT JOIN LATERAL ({_ENTERED}) entered ON true
""")  # noqa: S608 - constants of the two modules.
_ENTER_TOGETHER = Quick(f"""
    SELECT asked.place, asked.id AS session_id, {_FIELDS}
    FROM unnest(CAST(:ids AS uuid[]), CAST(:sheets AS bigint[]), CAST(:known AS bigint[]))
        WITH ORDINALITY AS asked (id, sheet, known, place)
    JOIN LATERAL ({WHO_SQL.replace(":id", "asked.id")}) who ON true
    LEFT JOIN LATERAL ({_ENTERED.replace(":sheet", "asked.sheet").replace(":known", "asked.known")}) entered ON true
""")  # noqa: S608 - the same.
