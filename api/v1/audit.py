"""Audit: what happened to accounts, shares and sheets; all of it for administrators, for owners their sheets."""

import tempfile
from datetime import UTC, datetime
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from api.auth.request import MAX_ID, CallerDep, CurrentActor
from api.http.responses import answer
from api.v1.exports import sent
from core.audit.kinds import Kind
from core.audit.trail import MAX_PAGE, MAX_SEARCH, PAGE, AuditFilter, audit_events, export_audit
from core.base.errors import Invalid
from core.limits.rate_limits import consume
from db.engine import transaction

router = APIRouter(prefix="/audit", tags=["Audit"])


async def asked_filter(
    *,
    person: Annotated[int | None, Query(ge=1, le=MAX_ID, description="Who did it, or whom it was done to.")] = None,
    kind: Annotated[list[Kind] | None, Query(description="What it is about; several may be given.")] = None,
    sheet: Annotated[int | None, Query(ge=1, le=MAX_ID, description="What happened to this sheet.")] = None,
    since: Annotated[str | None, Query(max_length=40, description="An instant in ISO; without a zone UTC.")] = None,
    until: Annotated[str | None, Query(max_length=40, description="An instant in ISO, itself left out.")] = None,
    search: Annotated[
        str, Query(max_length=MAX_SEARCH, description="A part of a person's, sheet's or other name, or of a fact.")
    ] = "",
) -> AuditFilter:
    """Which events a query string asks for; all of what it names must hold."""
    return AuditFilter(person, tuple(kind or ()), sheet, _instant(since), _instant(until), search)


AskedFilter = Annotated[AuditFilter, Depends(asked_filter)]
_FILE: dict[str, Any] = {
    "description": "The file.",
    "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
}


@router.get("", summary="What happened, newest first")
def events(
    caller: CallerDep,
    wanted: AskedFilter,
    *,
    before: Annotated[int | None, Query(ge=1, le=MAX_ID, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = PAGE,
) -> Response:
    """Each event with its facts and a sentence, with the names as they are now. Network addresses are told to
    administrators only. Go on with `before` until `next` is null."""
    with caller.transaction() as (session, actor):
        lines = audit_events(session, actor, wanted, before=before, limit=limit)
    return answer({"events": lines, "next": lines[-1].event_id if len(lines) == limit else None})


@router.get("/export", summary="Export what happened as CSV", response_class=StreamingResponse, responses={200: _FILE})
def export(actor: CurrentActor, wanted: AskedFilter) -> Response:
    """The same events as a file, which is an event of its own. Texts that a spreadsheet would run are written behind an
    apostrophe. The file is complete before its first byte is sent."""
    consume("export", actor.key)
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - It is closed once it is sent.
    try:
        with transaction() as session:
            rows = export_audit(session, actor, wanted, file)
    except BaseException:
        file.close()
        raise
    headers = {
        "Content-Disposition": f"attachment; filename=audit-{datetime.now(UTC):%Y-%m-%d}.csv",
        "Content-Length": str(file.tell()),
        "Cache-Control": "no-store",
        "X-Rows": str(rows),
    }
    return StreamingResponse(sent(file), media_type="text/csv; charset=utf-8", headers=headers)


def _instant(given: str | None) -> datetime | None:
    if not given:
        return None
    try:
        found = datetime.fromisoformat(given)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(f"“{given}” is no instant. Write it like 2026-11-20T18:00:00Z.") from error
