"""Entering a sheet: who acts in a session and what they may see of a sheet, read together as a request begins.

Whoever edits cells one after the other need not enter each time: the statement that writes looks at their session and
their rights anyway, so it does to remember how they entered last.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Pool
from sqlalchemy.orm import Session

from core.access.access import LOAD_SQL, MOST_KNOWN, Access, known_version, remember
from core.base.actor import Actor
from core.credentials.sessions import WHO_SQL, actor_from
from db.raw_sql import Quick


def enter(session: Session, session_id: str, sheet_id: int, *, address: str | None) -> Actor | None:
    """Who acts, as sessions.actor_of_session tells; what they may see waits for the next get_access()."""
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


def recall_together(session: Session, askers: Sequence[tuple[str, int, str | None]]) -> list[Actor | None]:
    """The same, but whoever is remembered is not looked up: only for what looks at it itself, see recalled()."""
    kept = [recalled(session, _key(session_id), sheet_id) for session_id, sheet_id, _ in askers]
    strangers = [asker for asker, access in zip(askers, kept, strict=True) if access is None]
    entered = iter(enter_together(session, strangers) if strangers else ())
    return [access.actor if access else next(entered) for access in kept]


def recalled(session: Session, session_id: UUID | str | None, sheet_id: int) -> Access | None:
    """How somebody entered the sheet in this session the last time; None where that is not known.

    It may be true no more, and nothing may be shown or written by it but in a statement that looks at the session, the
    level, the rows and the columns once more: edit_unmoved() and changes_for() do.
    """
    key = _key(session_id) if isinstance(session_id, str) else session_id
    kept = _standing(session).get((key, sheet_id)) if key else None
    return replace(kept, _session=session) if kept else None


def keep(session: Session, access: Access) -> None:
    """Remember how somebody entered, if it was in a session."""
    standing = _standing(session)
    if len(standing) >= MOST_KNOWN:
        standing.clear()
    if isinstance(access.principal, Actor) and access.principal.session_id:
        standing[access.principal.session_id, access.sheet.sheet_id] = replace(access, _session=_NOWHERE)


def forget(session: Session, session_id: UUID | None, sheet_id: int) -> None:
    """Look them up the next time."""
    if session_id:
        _standing(session).pop((session_id, sheet_id), None)


def _standing(session: Session) -> dict[tuple[UUID, int], Access]:
    return _STANDING.setdefault(session.get_bind().engine.pool, {})


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


_NOWHERE = Session()  # Who is only remembered can read nothing.
_STANDING: WeakKeyDictionary[Pool, dict[tuple[UUID, int], Access]] = WeakKeyDictionary()
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
