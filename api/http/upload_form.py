"""Uploads: a form with one file, spooled to disk while it is received, and refused as soon as it is too large."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, BinaryIO

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api.http.json_body import read_json

_FORM_BYTES = 2**20


@dataclass
class Upload:
    """An uploaded file and the other fields of its form."""

    file: BinaryIO
    name: str
    fields: dict[str, str]

    def json(self, field: str) -> Any:
        """The JSON in a field; None if the field is missing or empty."""
        return read_json(self.fields[field].encode()) if self.fields.get(field, "").strip() else None


async def read_upload(request: Request, limit: int) -> Upload:
    """Return the form's file “file”. Raise a 413 above `limit`, else a 415 or 400 without such a file."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(415, "Send the file as multipart/form-data, in a field called “file”.")
    announced = request.headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdigit() or int(announced[:20]) > limit + _FORM_BYTES:
        _refuse(limit)
    parser = MultiPartParser(
        request.headers,
        _counted(request, limit + _FORM_BYTES),
        max_files=1,
        max_fields=4,
        max_part_size=_FORM_BYTES,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        reason = error.message if isinstance(error, MultiPartException) else "it has no boundary"
        raise HTTPException(400, f"The form cannot be read: {reason}.") from error
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise HTTPException(400, "The form has no file in a field called “file”.")
    if (file.size or 0) > limit:
        _refuse(limit)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    return Upload(file.file, file.filename or "", fields)


async def _counted(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > max_bytes:
            _refuse(max_bytes)
        yield chunk


def _refuse(limit: int) -> None:
    raise HTTPException(413, f"The file is larger than {limit // 2**20} MB, the limit of an import. Split it.")
