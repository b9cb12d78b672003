"""Recognise files of other kinds than CSV by their first bytes, and say how to get a CSV from each."""

import re

from core.base.errors import Invalid

_WORKBOOK = "an Excel workbook: open it and save it as CSV (UTF-8)"
_PICTURE = "a picture, not a CSV file"
_ARCHIVE = "a compressed archive: unpack it and import the CSV file in it"
_KINDS: dict[bytes, str] = {
    b"PK\x03\x04": _WORKBOOK,
    b"\xd0\xcf\x11\xe0": _WORKBOOK,
    b"%PDF": "a PDF: export the table as CSV where it came from",
    b"\x89PNG": _PICTURE,
    b"\xff\xd8\xff": _PICTURE,
    b"GIF8": _PICTURE,
    b"RIFF": "a picture or a sound, not a CSV file",
    b"BM": "a picture, not a CSV file",
    b"\x1f\x8b": _ARCHIVE,
    b"BZh": _ARCHIVE,
    b"7z\xbc\xaf": _ARCHIVE,
    b"Rar!": _ARCHIVE,
    b"\xfd7zXZ": _ARCHIVE,
    b"(\xb5/\xfd": _ARCHIVE,
    b"PAR1": "a Parquet file: write it as CSV",
    b"ARROW1": "an Arrow file: write it as CSV",
    b"SQLite format 3": "a database, not a CSV file",
    b"\x7fELF": "a program, not a CSV file",
    b"MZ": "a program, not a CSV file",
    b"{\\rtf": "a text document: save the table in it as CSV",
    b"\xff\xfe\0\0": "a text in UTF-32: save it as CSV (UTF-8)",
}
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|\?xml|svg|body|table)", re.IGNORECASE)
_JSON = re.compile(rb'\s*(?:\{\s*"|\[\s*[\[{])')
# Controls that no text has; tab, line ends, form feed and the old end-of-file mark are not among them.
_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x19\x1b-\x1f]")


def refuse_other_kinds(head: bytes) -> None:
    """Raise Invalid if these first bytes of a file show that it is not a CSV."""
    for mark, kind in _KINDS.items():
        # Two letters begin many a text: they count only where bytes follow that no text has.
        if head.startswith(mark) and (len(mark) > 2 or b"\0" in head or _is_binary(head)):
            raise Invalid(f"This is {kind}.")
    if _MARKUP.match(head):
        raise Invalid("This is a web page or an XML file. Export the table as CSV and try again.")
    if _JSON.match(head):
        raise Invalid("This is a JSON file. Send it to the API, or save it as CSV.")
    if b"\0" not in head and _is_binary(head):
        raise Invalid("This is not a CSV file: it holds bytes that no text has.")


def _is_binary(head: bytes) -> bool:
    """Many controls. A file with NULs may be UTF-16: it is judged with the encoding."""
    return len(_CONTROLS.findall(head)) > len(head) * 0.01
