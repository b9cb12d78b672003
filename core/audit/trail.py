"""Reading, filtering and exporting the audit trail: administrators see all of it, owners the events of their sheets."""

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

from core.access.load import get_access
from core.audit.kinds import Kind
from core.audit.names import Names, by_whom, to_whom
from core.audit.sentences import sentence
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.permissions import ROLE_PERMISSIONS, Permission
from core.base.spreadsheet_text import escape_formula
from db.folding import fold, folded
from db.tables.sheets import AuditEvent, Sheet

PAGE = 100
MAX_PAGE = 1000
MAX_SEARCH = 200
SqlClause = ColumnElement[bool] | TextClause


@dataclass(frozen=True)
class AuditFilter:
    """A filter of events: all given conditions must hold. `person` did it or is concerned; since ≤ event < until."""

    person: int | None = None
    kinds: tuple[Kind, ...] = ()
    sheet_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""

    @property
    def used(self) -> list[str]:
        """The names of the conditions that are set, without their values."""
        return [name for name, value in vars(self).items() if value]


@dataclass(frozen=True)
class AuditLine:
    """An event with current names. `by` is None if nobody was signed in, `address` if the actor may not see it; `whom`
    is the person, team or e-mail address that it concerns."""

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
    session: Session, actor: Actor, filters: AuditFilter | None = None, *, before: int | None = None, limit: int = PAGE
) -> list[AuditLine]:
    """Return the events that this actor may see, newest first; page with `before`, the id of the last one.

    Administrators see all events, others those of the sheets that they own. Raises NotFound and NotAllowed for other
    sheets.
    """
    filters = filters or AuditFilter()
    sees_all = Permission.AUDIT_SEE in ROLE_PERMISSIONS[actor.role]
    if filters.sheet_id is not None and not sees_all:
        get_access(session, actor, filters.sheet_id, Permission.SHEET_SHARE)
    statement = select(AuditEvent).where(_may_see(actor, sees_all=sees_all), *_conditions(filters, addresses=sees_all))
    if before is not None:
        statement = statement.where(AuditEvent.event_id < before)
    events = session.scalars(statement.order_by(AuditEvent.event_id.desc()).limit(min(limit, MAX_PAGE))).all()
    names = Names.of(session, events)
    return [_line(event, names, addresses=sees_all) for event in events]


def audited_sheets(session: Session, actor: Actor) -> dict[int, str]:
    """Return the sheets whose events this actor may see: sheet id → name, by name."""
    sees_all = Permission.AUDIT_SEE in ROLE_PERMISSIONS[actor.role]
    visible = true() if sees_all else Sheet.owner_id == actor.user_id
    rows = session.execute(
        select(Sheet.sheet_id, Sheet.name).where(visible).order_by(folded(Sheet.name), Sheet.sheet_id)
    )
    return dict(rows.tuples().all())


def export_audit(session: Session, actor: Actor, filters: AuditFilter, file: BinaryIO) -> int:
    """Write the events to `file` as CSV, newest first; return how many.

    Records an event of its own: commit before you hand out the file.
    """
    out = io.TextIOWrapper(file, "utf-8", newline="", write_through=False)
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    rows = 0
    for line in _every(session, actor, filters):
        writer.writerow([escape_formula(cell) for cell in _cells(line)])
        rows += 1
    out.detach()
    audit.record(session, actor, "workspace:audit:export", sheet_id=filters.sheet_id, rows=rows, filters=filters.used)
    return rows


COLUMNS = ("event", "recorded_at", "action", "what", "by", "sheet", "address", "facts")


def _every(session: Session, actor: Actor, filters: AuditFilter) -> Iterator[AuditLine]:
    """Yield all events page by page, so that memory does not grow with the trail."""
    before: int | None = None
    while page := audit_events(session, actor, filters, before=before, limit=MAX_PAGE):
        yield from page
        before = page[-1].event_id


def _cells(line: AuditLine) -> tuple[str, ...]:
    """Return a line of the file, in the order of COLUMNS."""
    facts = json.dumps(line.facts, ensure_ascii=False, sort_keys=True)
    when = line.recorded_at.astimezone(UTC).isoformat()
    by, sheet, address = (text or "" for text in (line.by, line.sheet, line.address))
    return (str(line.event_id), when, line.action, line.sentence, by, sheet, address, facts)


def _may_see(actor: Actor, *, sees_all: bool) -> ColumnElement[bool]:
    own = select(Sheet.sheet_id).where(Sheet.owner_id == actor.user_id)
    return true() if sees_all else AuditEvent.sheet_id.in_(own)


def _conditions(filters: AuditFilter, *, addresses: bool) -> list[SqlClause]:
    conditions: list[SqlClause] = []
    if filters.person is not None:
        conditions.append(
            or_(AuditEvent.actor_id == filters.person, AuditEvent.facts["user"] == literal(filters.person, JSONB))
        )
    if filters.kinds:
        subjects = [subject for kind in filters.kinds for subject in kind.subjects]
        conditions.append(or_(*(AuditEvent.action.startswith(f"{subject}:", autoescape=True) for subject in subjects)))
    if filters.sheet_id is not None:
        conditions.append(AuditEvent.sheet_id == filters.sheet_id)
    if filters.since is not None:
        conditions.append(AuditEvent.recorded_at >= filters.since)
    if filters.until is not None:
        conditions.append(AuditEvent.recorded_at < filters.until)
    return conditions + ([_contains(filters.search, addresses=addresses)] if filters.search.strip() else [])


def _contains(search: str, *, addresses: bool) -> TextClause:
    """Return the condition that a fact, or the name of a person or the sheet, contains this text in any case."""
    needle = search.strip()
    if "\x00" in needle or len(needle) > MAX_SEARCH:
        raise Invalid(f"Search for at most {MAX_SEARCH} characters, without NUL.")
    return _CONTAINS.bindparams(needle=fold(needle), typed=needle, addresses=addresses)


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


_CONTAINS = text("""
    (EXISTS (SELECT FROM jsonb_path_query(audit_events.facts, 'strict $.**') AS fact
            WHERE jsonb_typeof(fact) = 'string' AND strpos(fold_text(fact #>> '{}'), :needle) > 0)
    OR EXISTS (SELECT FROM users u WHERE strpos(fold_text(u.name), :needle) > 0
               AND (u.user_id = audit_events.actor_id OR to_jsonb(u.user_id) = audit_events.facts -> 'user'))
    OR EXISTS (SELECT FROM sheets s WHERE s.sheet_id = audit_events.sheet_id
               AND strpos(fold_text(s.name), :needle) > 0)
    OR (:addresses AND strpos(host(audit_events.address), :typed) = 1))
""")
