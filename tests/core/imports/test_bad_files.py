"""Files that are none, or not quite: each gets one sentence, at once, and nothing is read by halves."""

import io
import time
from pathlib import Path
from typing import Any

import pytest

from core.base.errors import Invalid
from core.imports.inspection import MAX_BYTES, inspect

READXL = Path(__file__).parents[4] / "shared" / "data" / "messy" / "readxl"


def refusal(content: bytes, **chosen: Any) -> str:
    began = time.monotonic()
    with pytest.raises(Invalid) as caught:
        inspect(io.BytesIO(content), chosen)
    assert time.monotonic() - began < 5
    message = caught.value.message
    assert len(message) < 250
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf", "The file is empty."),
        (b"\r\n \r\n", "The file is empty."),
        (b"a,b,c\n", "no rows under its column names"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "a PDF"),
        (b"PK\x03\x04\x14\0\x06\0", "an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook"),
        (b"\x1f\x8b\x08\0", "compressed"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b'{"rows": [1, 2]}', "JSON"),
        (b'[{"a": 1}]', "JSON"),
        (bytes(range(1, 32)) * 50, "bytes that no text has"),
        (b"a,b\n1,x\0y\n", "Line 2 holds a NUL"),
        (b"a,b\n1,2\n" * 100_000 + b"x\0", "NUL"),
        (b'a,b\n1,"never closed\n2,x\n', "never closed"),
        (b'a,b\n1,"x"y"\n', "middle of a cell"),
        (b"a,b\n1," + b"x" * 200_000 + b"\n", "more than 131,072 characters"),
    ],
)
def test_a_bad_file_gets_one_sentence(content: bytes, says: str) -> None:
    assert says in refusal(content)


def test_more_than_the_limit_is_refused_by_its_size() -> None:
    class Large(io.BytesIO):
        def seek(self, place: int, whence: int = 0) -> int:
            return 200 * 2**20 if whence == io.SEEK_END else super().seek(place, whence)

    with pytest.raises(Invalid, match=f"200 MB; an import takes at most {MAX_BYTES // 2**20} MB"):
        inspect(Large(b"a,b\n1,2\n"))


def test_one_line_of_fifty_megabytes_is_refused() -> None:
    assert "longer than" in refusal(b"a,b\n" + b"x" * 50_000_000)


def test_a_hundred_thousand_columns_are_refused() -> None:
    line = b",".join(b"c%d" % number for number in range(100_000))
    assert "100,000 columns" in refusal(line + b"\n" + line + b"\n")


def test_a_line_that_widens_the_table_beyond_a_sheet_is_refused() -> None:
    assert "columns" in refusal(b"a,b\n1,2\n" + b"x," * 600 + b"x\n")


@pytest.mark.skipif(not READXL.exists(), reason="the collection of workbooks is not here")
def test_every_workbook_is_told_from_a_csv() -> None:
    for path in sorted(READXL.glob("*.xls*")):
        assert "Excel workbook" in refusal(path.read_bytes())


def test_two_letters_that_begin_a_program_may_begin_a_name() -> None:
    assert inspect(io.BytesIO(b"MZ code,BM\n1,2\n")).names == ["MZ code", "BM"]
