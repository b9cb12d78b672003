"""Audit log: events of accounts, shares and sheets. Administrators see all of it, owners that of their sheets."""

import tempfile
from datetime import UTC, datetime
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from api.auth.request import MAX_ID, CallerDep, CurrentActor
from api.http.responses import answer
from api.v1.exports import file_chunks
from core.audit.kinds import Kind
from core.audit.trail import MAX_PAGE, MAX_SEARCH, PAGE, AuditFilter, audit_events, export_audit
from core.base.errors import Invalid
from core.limits.rate_limits import consume
from db.engine import transaction

router = APIRouter(prefix="/audit", tags=["Audit"])


async def filter_from_query(
    *,
    person: Annotated[int | None, Query(ge=1, le=MAX_ID, description="The user who acted or was affected.")] = None,
    kind: Annotated[list[Kind] | None, Query(description="The kind of event; can be repeated.")] = None,
    sheet: Annotated[int | None, Query(ge=1, le=MAX_ID, description="Events of this sheet only.")] = None,
    since: Annotated[str | None, Query(max_length=40, description="ISO 8601; UTC without a time zone.")] = None,
    until: Annotated[str | None, Query(max_length=40, description="ISO 8601, exclusive.")] = None,
    search: Annotated[
        str, Query(max_length=MAX_SEARCH, description="Text in a name (person, sheet, …) or in a fact.")
    ] = "",
) -> AuditFilter:
    """The audit filter in a query string. An event must match every parameter."""
    return AuditFilter(person, tuple(kind or ()), sheet, _instant(since), _instant(until), search)


FilterDep = Annotated[AuditFilter, Depends(filter_from_query)]
_FILE: dict[str, Any] = {
    "description": "The file.",
    "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
}


@router.get("", summary="Audit events, newest first")
def events(
    caller: CallerDep,
    event_filter: FilterDep,
    *,
    before: Annotated[int | None, Query(ge=1, le=MAX_ID, description="`next` of the previous page.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = PAGE,
) -> Response:
    """Each event with its facts and a sentence, with the names as they are now. Only administrators see network
    addresses. To read all pages, pass `next` as `before` until it is null."""
    with caller.transaction() as (session, actor):
        lines = audit_events(session, actor, event_filter, before=before, limit=limit)
    return answer({"events": lines, "next": lines[-1].event_id if len(lines) == limit else None})


@router.get("/export", summary="Export audit events as CSV", response_class=StreamingResponse, responses={200: _FILE})
def export(actor: CurrentActor, event_filter: FilterDep) -> Response:
    """The audit events that match, as a file. The export is an audit event, too. A text that a spreadsheet would run as
    a formula gets an apostrophe in front. The file is complete before its first byte is sent."""
    consume("export", actor.key)
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - file_chunks closes it.
    try:
        with transaction() as session:
            rows = export_audit(session, actor, event_filter, file)
    except BaseException:
        file.close()
        raise
    headers = {
        "Content-Disposition": f"attachment; filename=audit-{datetime.now(UTC):%Y-%m-%d}.csv",
        "Content-Length": str(file.tell()),
        "Cache-Control": "no-store",
        "X-Rows": str(rows),
    }
    return StreamingResponse(file_chunks(file), media_type="text/csv; charset=utf-8", headers=headers)


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(f"“{text}” isn't a valid time. Write it like 2026-11-20T18:00:00Z.") from error
