"""Export: exactly the rows and columns of a view, as a file."""

import tempfile
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from api.auth.request import AsOf, CurrentPrincipal, SheetId, ViewDep
from core.exports import FORMATS, export_rows
from core.limits.rate_limits import consume
from db.engine import transaction

router = APIRouter(prefix="/sheets/{sheet}", tags=["Import and export"])

_CHUNK = 256 * 2**10


_BINARY = {"schema": {"type": "string", "format": "binary"}}
_KINDS = [one.media_type.partition(";")[0] for one in FORMATS.values()]
_FILE: dict[str, Any] = {"description": "The file.", "content": dict.fromkeys(_KINDS, _BINARY)}


@router.get(
    "/export",
    summary="Export a view as CSV, XLSX or Parquet",
    response_class=StreamingResponse,
    responses={200: _FILE},
)
def export(
    actor: CurrentPrincipal,
    sheet: SheetId,
    view: ViewDep,
    *,
    format: Annotated[Literal["csv", "xlsx", "parquet"], Query(description="The kind of file.")] = "csv",  # noqa: A002
    columns: Annotated[
        str | None,
        Query(
            description="Column numbers in the order wanted: `3,5`. Without: as you show them in the grid.",
            pattern="^[0-9]{1,9}(,[0-9]{1,9})*$",
        ),
    ] = None,
    bom: Annotated[bool, Query(description="CSV with a byte-order mark, for Excel.")] = False,
    as_of: AsOf = None,
) -> Response:
    """Texts that a spreadsheet would run (they begin with = + - @) are written behind an apostrophe in a CSV; an import
    takes it off again. The file is complete before its first byte is sent, so what you get is never half of it."""
    consume("export", actor.key)
    asked = [int(one) for one in columns.split(",")] if columns else None
    file = tempfile.TemporaryFile()  # noqa: SIM115 - It is closed once it has been sent.
    try:
        with transaction() as session:
            done = export_rows(
                session, actor, sheet, view, file, file_format=format, columns=asked, bom=bom, as_of=as_of
            )
    except BaseException:
        file.close()
        raise
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(done.name)}",
        "Content-Length": str(file.tell()),
        "Cache-Control": "no-store",
        "X-Rows": str(done.rows),
    }
    return StreamingResponse(sent(file), media_type=done.media_type, headers=headers)


def sent(file: BinaryIO) -> Iterator[bytes]:
    """The file in pieces, from its beginning; closed behind the last one."""
    with file:
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk
