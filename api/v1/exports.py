"""Export of the rows and columns of a view as a file."""

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
_MEDIA_TYPES = [file_format.media_type.partition(";")[0] for file_format in FORMATS.values()]
_FILE: dict[str, Any] = {"description": "The file.", "content": dict.fromkeys(_MEDIA_TYPES, _BINARY)}


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
    format: Annotated[Literal["csv", "xlsx", "parquet"], Query(description="The file format.")] = "csv",  # noqa: A002
    columns: Annotated[
        str | None,
        Query(
            description="Column numbers in order: `3,5`. Without: the columns of the view, by default the first.",
            pattern="^[0-9]{1,9}(,[0-9]{1,9})*$",
        ),
    ] = None,
    bom: Annotated[bool, Query(description="CSV with a byte-order mark, for Excel.")] = False,
    rows: Annotated[
        str | None,
        Query(
            description="Only these rows of the view: `4,7,12`.",
            pattern="^[0-9]{1,9}(,[0-9]{1,9})*$",
            max_length=20_000,
        ),
    ] = None,
    as_of: AsOf = None,
) -> Response:
    """In a CSV, a text that a spreadsheet would run as a formula (it starts with = + - @) gets an apostrophe in front;
    an import removes it. The file is complete before its first byte is sent."""
    consume("export", actor.key)
    row_ids = None if rows is None else [int(number) for number in rows.split(",")]
    column_ids = [int(number) for number in columns.split(",")] if columns else None
    file = tempfile.TemporaryFile()  # noqa: SIM115 - file_chunks closes it.
    try:
        with transaction() as session:
            export_info = export_rows(
                session,
                actor,
                sheet,
                view.query,
                file,
                file_format=format,
                columns=column_ids,
                bom=bom,
                as_of=as_of,
                stored_view=view.stored,
                row_ids=row_ids,
            )
    except BaseException:
        file.close()
        raise
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(export_info.name)}",
        "Content-Length": str(file.tell()),
        "Cache-Control": "no-store",
        "X-Rows": str(export_info.rows),
    }
    return StreamingResponse(file_chunks(file), media_type=export_info.media_type, headers=headers)


def file_chunks(file: BinaryIO) -> Iterator[bytes]:
    """The file in chunks, from its start. The file is closed after the last one."""
    with file:
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk
