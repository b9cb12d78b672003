"""Export: exactly what a person sees of a sheet, as CSV, XLSX or Parquet, into a file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, BinaryIO

from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.base import audit
from core.base.actor import Actor, Principal
from core.base.errors import Invalid
from core.base.permissions import Permission
from core.exports.csv import write_csv
from core.exports.source import ExportSource, chosen_columns, read_source
from core.rows.as_of import PastAccess, get_access_as_of
from core.rows.query import View
from core.views.settings import Settings
from core.views.views import first_view, get_view


@dataclass(frozen=True)
class ExportFormat:
    """A file format: its label, extension and media type, and the function that writes it and returns the row count."""

    label: str
    extension: str
    media_type: str
    write: Callable[[IO[bytes], ExportSource], int]


# Arrow and openpyxl take most of a second to import: the server's start does not wait for them, the first export does.
def _write_workbook(file: IO[bytes], source: ExportSource) -> int:
    from core.exports.xlsx import write_workbook  # noqa: PLC0415 - see above.

    return write_workbook(file, source)


def _write_parquet(file: IO[bytes], source: ExportSource) -> int:
    from core.exports.parquet import write_parquet  # noqa: PLC0415 - see above.

    return write_parquet(file, source)


FORMATS = {
    "csv": ExportFormat("CSV", "csv", "text/csv; charset=utf-8", write_csv),
    "xlsx": ExportFormat(
        "Excel", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _write_workbook
    ),
    "parquet": ExportFormat("Parquet", "parquet", "application/vnd.apache.parquet", _write_parquet),
}


@dataclass(frozen=True)
class Exported:
    """A written file: the name to save it under, its media type, and how many rows it has."""

    name: str
    media_type: str
    rows: int


def export_rows(
    session: Session,
    actor: Principal,
    sheet_id: int,
    view: View,
    file: BinaryIO,
    *,
    file_format: str,
    columns: Sequence[int] | None = None,
    bom: bool = False,
    as_of: str | None = None,
    stored_view: int | None = None,
    row_ids: Sequence[int] | None = None,
) -> Exported:
    """Write the rows of a view to `file`, which may be temporary: nothing but the file grows with the sheet.

    With a stored view, only its rows are written. `columns` are ids in the order wanted; without them it is those of
    the stored view, by default of the sheet's first one. The event stands in the same transaction, so commit before
    the file is handed out. `as_of` is an instant of the past, and `row_ids` are the only rows to write.
    """
    access = get_access_as_of(session, actor, sheet_id, as_of, Permission.ROWS_EXPORT)
    if file_format not in FORMATS:
        raise Invalid(f"Unknown export format “{file_format[:20]}”. Choose one of: {', '.join(FORMATS)}.")
    export_format = FORMATS[file_format]
    settings: Settings = {}
    if access.link_view is not None:
        settings = {"order": access.link_view.settings.get("order")}
    elif isinstance(actor, Actor):
        stored = first_view(session, access) if stored_view is None else get_view(session, access, stored_view)
        settings, view = stored.shown, view if stored_view is None else stored.narrowed(view)
    exported_columns = chosen_columns(access, settings, columns)
    rows = export_format.write(file, read_source(session, access, view, exported_columns, bom=bom, row_ids=row_ids))
    _record(session, access, file_format, exported_columns, rows)
    return Exported(f"{_file_name(_title(access))}.{export_format.extension}", export_format.media_type, rows)


def _record(session: Session, access: Access, file_format: str, columns: list[ColumnInfo], rows: int) -> None:
    names = [column.name for column in columns]
    sheet_id = access.sheet.sheet_id
    past = {"as_of_version": access.sheet.version} if isinstance(access, PastAccess) else {}
    event = {"format": file_format, "rows": rows, "columns": names, **past}
    audit.record(session, access.principal, "sheet:rows:export", sheet_id=sheet_id, **event)  # type: ignore[arg-type]


def _title(access: Access) -> str:
    """Return the title of the file; for an earlier version of the sheet it names the version."""
    sheet = access.sheet
    return f"{sheet.name[:60]} (as of version {sheet.version})" if isinstance(access, PastAccess) else sheet.name


def _file_name(name: str) -> str:
    """Return the sheet's name without characters that have a meaning in a file system or a header."""
    safe_name = "".join(character if character.isalnum() or character in " -_.()" else "_" for character in name)
    return safe_name.strip(" .")[:80] or "export"
