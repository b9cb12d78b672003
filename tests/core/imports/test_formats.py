"""What a file is found to be: encoding, delimiter, header. Nothing is guessed in silence, nothing replaced."""

import codecs
import io
import json
from pathlib import Path
from typing import Any

import pytest

from core.base.errors import Invalid
from core.imports.inspection import Inspection, inspect
from core.imports.records import blocks

DATA = Path(__file__).parents[4] / "shared" / "data" / "messy"
SPECTRUM, POLLOCK, CSVKIT = DATA / "csv_spectrum", DATA / "pollock" / "csv", DATA / "csvkit"
# The collection's own JSON has another phone number for location_coordinates.
SPECTRA = sorted(path.stem for path in (SPECTRUM / "csvs").glob("*.csv") if path.stem != "location_coordinates")
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the collection of messy files is not here")


def looked(content: str | bytes, **chosen: Any) -> Inspection:
    return inspect(io.BytesIO(content.encode() if isinstance(content, str) else content), chosen)


def rows(content: str | bytes, found: Inspection) -> list[list[str]]:
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return [record for block in blocks(file, found.format) for record in block.filled]


def looked_or_refused(content: bytes) -> Inspection | str:
    try:
        return looked(content)
    except Invalid as refusal:
        return refusal.message


GERMAN = "Käufer;Größe\nMüller & Söhne;„groß“\nJörg Weiß;straßenlaut\nÄrzte Öl Übung;10 €\n"
FRENCH = "société;prénom\nCafé Français;Éloïse\nHôtel à côté;Noël Garçon\nÀ bientôt;Hélène\n"


@pytest.mark.parametrize("text", [GERMAN, FRENCH])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac-roman"])
def test_western_texts_are_read_as_they_were_written(text: str, encoding: str) -> None:
    content = text.encode(encoding)
    found = looked(content)
    assert found.names == text.split("\n", maxsplit=1)[0].split(";")
    assert rows(content, found)[0] == text.split("\n")[1].split(";")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("imię;miasto\nZażółć gęślą jaźń;Łódź\nŚwięta Góra;Kraków\n", "cp1250"),
        ("имя;город\nИван Петров;Москва\nАнна Смирнова;Казань\n", "cp1251"),
        ("名前,都市\n山田太郎,東京都\n鈴木花子,大阪市\n佐藤次郎,名古屋\n", "cp932"),
    ],
)
def test_other_languages_are_told_apart(text: str, encoding: str) -> None:
    assert looked(text.encode(encoding)).format.encoding == encoding


def test_a_single_letter_above_ascii_is_western() -> None:
    assert looked("a,b\n1,©\n".encode("cp1252")).samples[1].labels == ["©"]


def test_a_chosen_encoding_is_taken_and_a_wrong_one_refused_with_the_line() -> None:
    assert looked(GERMAN.encode("cp1252"), encoding="cp850").format.encoding == "cp850"
    with pytest.raises(Invalid, match=r"line .* cannot be read as Unicode"):
        looked(GERMAN.encode("cp1252"), encoding="utf-8")


def test_a_file_of_two_encodings_is_refused() -> None:
    mixed = "a;b\nKäufer;Größe\nMüller;Söhne\nJörg;Weiß\n".encode() + "Bäcker;1\n".encode("cp1252")
    with pytest.raises(Invalid, match="mixes two encodings"):
        looked(mixed)


def test_letters_lost_before_are_said() -> None:
    assert any("�" in note for note in looked("a,b\nM�ller,1\n").notes)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_also_beside_decimal_commas(delimiter: str) -> None:
    amount = '"1,5"' if delimiter == "," else "1,5"
    content = "\n".join([delimiter.join(["name", "amount", "note"]), *[delimiter.join(["x", amount, "a b"])] * 5])
    found = looked(content)
    assert found.format.delimiter == delimiter
    assert found.names == ["name", "amount", "note"]


def test_the_line_by_which_excel_names_the_delimiter_is_believed() -> None:
    found = looked("sep=;\r\na;b\r\n1,5;x\r\n")
    assert (found.format.delimiter, found.format.lines_above, found.names) == (";", 1, ["a", "b"])


def test_quotes_lines_and_commas_inside_cells_are_kept() -> None:
    content = 'a,b\n"x, ""y""\nz",1\n'
    assert rows(content, looked(content)) == [['x, "y"\nz', "1"]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_will_do(end: str) -> None:
    assert looked(f"a,b{end}1,2{end}3,4{end}").rows == 2


def test_lines_above_the_table_are_shown_and_not_read() -> None:
    found = looked("Report of March;;\nby Ann;;\n\nname;stage;amount\nA;Lead;5\nB;Won;6\nC;Won;7\n")
    assert found.names == ["name", "stage", "amount"]
    assert found.above[0] == "Report of March;;"
    assert found.rows == 3


def test_a_file_without_names_gets_numbered_columns() -> None:
    found = looked("Acme,5,2026-01-02\nGlobex,6,2026-01-03\n")
    assert found.names == ["Column 1", "Column 2", "Column 3"]
    assert found.rows == 2


def test_double_and_missing_names_are_mended_and_said() -> None:
    found = looked("name,,name,NAME\na,1,b,c\n")
    assert found.names == ["name", "Column 2", "name 2", "NAME 3"]
    assert len(found.notes) == 3


def test_extra_cells_get_a_column_and_are_said_with_their_line() -> None:
    found = looked("a,b\n1,2\n3,4,extra\n")
    assert found.names == ["a", "b", "Column 3"]
    assert "(3)" in found.notes[0]
    assert found.samples[2].labels == ["extra"]


def test_short_and_empty_lines_are_said() -> None:
    found = looked("a,b,c\n1,2,3\n4\n,,\n5,6,7\n")
    assert found.rows == 3
    assert any("shorter" in note for note in found.notes)
    assert any("empty line" in note for note in found.notes)


def test_what_is_chosen_stays_and_the_rest_is_found_anew() -> None:
    found = looked("x;y,z\na,b;c\n", delimiter=",")
    assert (found.format.delimiter, found.names) == (",", ["x;y", "z"])


@needs_data
@pytest.mark.parametrize("name", SPECTRA)
def test_the_csv_spectrum_is_read_as_its_json(name: str) -> None:
    content = (SPECTRUM / "csvs" / f"{name}.csv").read_bytes()
    found = looked(content)
    read = [dict(zip(found.names, record, strict=True)) for record in rows(content, found)]
    line_end = "\r\n" if b"\r\n" in content else "\n"
    expected = json.loads((SPECTRUM / "json" / f"{name}.json").read_text())
    wanted = expected if isinstance(expected, list) else [expected]
    assert read == [{key: value.replace("\r\n", line_end) for key, value in row.items()} for row in wanted]


@needs_data
@pytest.mark.parametrize("path", sorted(POLLOCK.glob("*.csv")), ids=lambda path: path.stem)
def test_a_polluted_file_is_read_or_refused_with_a_sentence(path: Path) -> None:
    content = path.read_bytes()
    found = looked_or_refused(content)
    if isinstance(found, str):
        assert found.endswith((".", "?"))
        return
    assert found.rows >= 1
    assert not [record for record in rows(content, found) if any(record[found.width :])]


@needs_data
@pytest.mark.parametrize(
    "name",
    [
        "double_trailing_newline", "field_delimiter_0x2C_0x20", "field_delimiter_0x3B",
        "field_delimiter_0x9", "no_trailing_newline", "preamble", "record_delimiter_0xA", "record_delimiter_0xD",
    ],
)  # fmt: skip
def test_common_pollution_is_read_as_the_clean_twin(name: str) -> None:
    polluted, clean = POLLOCK / f"file_{name}.csv", DATA / "pollock" / "clean" / f"file_{name}.csv"
    found, wanted = looked(polluted.read_bytes()), looked(clean.read_bytes())
    assert found.names == wanted.names
    assert rows(polluted.read_bytes(), found) == rows(clean.read_bytes(), wanted)


@needs_data
@pytest.mark.parametrize("path", sorted(CSVKIT.glob("*.csv")), ids=lambda path: path.stem)
def test_files_that_break_importers_break_nothing(path: Path) -> None:
    found = looked_or_refused(path.read_bytes())
    assert found.endswith(".") if isinstance(found, str) else found.width >= 1


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert looked(codecs.BOM_UTF8 + b"a,b\n1,2\n").names == ["a", "b"]
