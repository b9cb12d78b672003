"""The audit trail as people read it: administrators all of it, owners what happened to their sheets."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

from sqlalchemy import ColumnElement, TextClause, literal, or_, select, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from core.access.access import get_access
from core.audit.sentences import Kind, Names, by_whom, sentence, to_whom
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.permissions import ROLE_PERMISSIONS, Permission
from core.base.spreadsheet_text import escape_formula
from db.folding import fold, folded
from db.tables.sheets import AuditEvent, Sheet

PAGE = 100
MOST_AT_ONCE = 1000
LONGEST_SEARCH = 200
Condition = ColumnElement[bool] | TextClause


@dataclass(frozen=True)
class AuditFilter:
    """Which events: all of what is named must hold. `person` did it or had it done to them; since ≤ event < until."""

    person: int | None = None
    kinds: tuple[Kind, ...] = ()
    sheet_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""

    @property
    def used(self) -> list[str]:
        """The names of what is asked for, without what."""
        return [name for name, value in vars(self).items() if value]


@dataclass(frozen=True)
class AuditLine:
    """An event with the names as they are now. `by` is None where nobody was signed in; `address` only where one may
    see it; `whom` is the person, team or address that it was done to."""

    event_id: int
    recorded_at: datetime
    action: str
    kind: Kind | None
    sentence: str
    by: str | None
    whom: str | None
    sheet_id: int | None
    sheet: str | None
    address: str | None
    facts: dict[str, Any]


def audit_events(
    session: Session, actor: Actor, wanted: AuditFilter | None = None, *, before: int | None = None, limit: int = PAGE
) -> list[AuditLine]:
    """The events that this actor may see, the latest first; go on with `before`, the number of the last one.

    Administrators see all of it, everybody else what happened to the sheets that they own. Raises NotFound and
    NotAllowed for a sheet of others.
    """
    wanted = wanted or AuditFilter()
    sees_all = Permission.AUDIT_SEE in ROLE_PERMISSIONS[actor.role]
    if wanted.sheet_id is not None and not sees_all:
        get_access(session, actor, wanted.sheet_id, Permission.SHEET_SHARE)
    statement = select(AuditEvent).where(_may_see(actor, all_of_it=sees_all), *_conditions(wanted, addresses=sees_all))
    if before is not None:
        statement = statement.where(AuditEvent.event_id < before)
    events = session.scalars(statement.order_by(AuditEvent.event_id.desc()).limit(min(limit, MOST_AT_ONCE))).all()
    names = Names.of(session, events)
    return [_line(event, names, addresses=sees_all) for event in events]


def audited_sheets(session: Session, actor: Actor) -> dict[int, str]:
    """The sheets whose events this actor may see: sheet id → name, by name."""
    sees_all = Permission.AUDIT_SEE in ROLE_PERMISSIONS[actor.role]
    mine = true() if sees_all else Sheet.owner_id == actor.user_id
    found = session.execute(select(Sheet.sheet_id, Sheet.name).where(mine).order_by(folded(Sheet.name), Sheet.sheet_id))
    return dict(found.tuples().all())


def export_audit(session: Session, actor: Actor, wanted: AuditFilter, file: BinaryIO) -> int:
    """Write the events as CSV to `file`, the latest first: how many. That it was done is an event of its own.

    The event stands in the same transaction, so commit before the file is handed out.
    """
    out = io.TextIOWrapper(file, "utf-8", newline="", write_through=False)
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    rows = 0
    for line in _every(session, actor, wanted):
        writer.writerow([escape_formula(cell) for cell in _cells(line)])
        rows += 1
    out.detach()
    audit.record(session, actor, "workspace:audit:export", sheet_id=wanted.sheet_id, rows=rows, filters=wanted.used)
    return rows


COLUMNS = ("event", "recorded_at", "action", "what", "by", "sheet", "address", "facts")


def _every(session: Session, actor: Actor, wanted: AuditFilter) -> Iterator[AuditLine]:
    """Page after page, so that memory does not grow with the trail."""
    before: int | None = None
    while page := audit_events(session, actor, wanted, before=before, limit=MOST_AT_ONCE):
        yield from page
        before = page[-1].event_id


def _cells(line: AuditLine) -> tuple[str, ...]:
    """A line of the file, in the order of COLUMNS."""
    facts = json.dumps(line.facts, ensure_ascii=False, sort_keys=True)
    when = line.recorded_at.astimezone(UTC).isoformat()
    by, sheet, address = (text or "" for text in (line.by, line.sheet, line.address))
    return (str(line.event_id), when, line.action, line.sentence, by, sheet, address, facts)


def _may_see(actor: Actor, *, all_of_it: bool) -> ColumnElement[bool]:
    own = select(Sheet.sheet_id).where(Sheet.owner_id == actor.user_id)
    return true() if all_of_it else AuditEvent.sheet_id.in_(own)


def _conditions(wanted: AuditFilter, *, addresses: bool) -> list[Condition]:
    given: list[Condition] = []
    if wanted.person is not None:
        given.append(
            or_(AuditEvent.actor_id == wanted.person, AuditEvent.facts["user"] == literal(wanted.person, JSONB))
        )
    if wanted.kinds:
        subjects = [subject for kind in wanted.kinds for subject in kind.subjects]
        given.append(or_(*(AuditEvent.action.startswith(f"{subject}:", autoescape=True) for subject in subjects)))
    if wanted.sheet_id is not None:
        given.append(AuditEvent.sheet_id == wanted.sheet_id)
    if wanted.since is not None:
        given.append(AuditEvent.recorded_at >= wanted.since)
    if wanted.until is not None:
        given.append(AuditEvent.recorded_at < wanted.until)
    return given + ([_says(wanted.search, addresses=addresses)] if wanted.search.strip() else [])


def _says(search: str, *, addresses: bool) -> TextClause:
    """A text of the facts, or the name of a person or the sheet, has this in it, however it is cased."""
    sought = search.strip()
    if "\x00" in sought or len(sought) > LONGEST_SEARCH:
        raise Invalid(f"Search for at most {LONGEST_SEARCH} characters, without NUL.")
    return _SAYS.bindparams(sought=fold(sought), typed=sought, addresses=addresses)


def _line(event: AuditEvent, names: Names, *, addresses: bool) -> AuditLine:
    return AuditLine(
        event_id=event.event_id,
        recorded_at=event.recorded_at,
        action=event.action,
        kind=Kind.of(event.action),
        sentence=sentence(event, names),
        by=by_whom(event, names),
        whom=to_whom(event, names),
        sheet_id=event.sheet_id,
        sheet=names.sheets.get(event.sheet_id or 0),
        address=str(event.address) if addresses and event.address else None,
        facts=event.facts,
    )


_SAYS = text("""
    (EXISTS (SELECT FROM jsonb_path_query(audit_events.facts, 'strict $.**') AS said
            WHERE jsonb_typeof(said) = 'string' AND strpos(fold_text(said #>> '{}'), :sought) > 0)
    OR EXISTS (SELECT FROM users u WHERE strpos(fold_text(u.name), :sought) > 0
               AND (u.user_id = audit_events.actor_id OR to_jsonb(u.user_id) = audit_events.facts -> 'user'))
    OR EXISTS (SELECT FROM sheets s WHERE s.sheet_id = audit_events.sheet_id
               AND strpos(fold_text(s.name), :sought) > 0)
    OR (:addresses AND strpos(host(audit_events.address), :typed) = 1))
""")
