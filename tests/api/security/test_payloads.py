"""Content that tries to be more: refused with a sentence and nothing written, or stored and told literally."""

import csv
import io
import time
import unicodedata
from typing import Any

import openpyxl
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base.spreadsheet_text import unescape_formula
from tests.api.conftest import AMOUNT, CLOSE, DEAL, STAGE, People, Person
from tests.support.payloads import PAYLOADS

every_payload = pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)


def made(answer: Any) -> dict[str, Any]:
    assert answer.status_code in {200, 201}, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def ann(people: People) -> Person:
    return people("Ann")


@every_payload
def test_a_payload_in_any_name_or_cell_is_told_literally_by_every_route(ann: Person, payload: str) -> None:
    """As the name of a sheet, column and option, as a description, and in a cell of text and of choice."""
    ann.sheet = made(ann.ask("POST", "/sheets", json={"name": payload, "description": payload}))["id"]
    column = {"name": payload, "type": "text", "description": payload}
    here = made(ann.ask("POST", "/sheets/{sheet}/columns", json=column))["id"]
    choice = {"name": f"{payload} 2", "type": "choice", "options": [{"id": "o1", "label": payload}]}
    chosen = made(ann.ask("POST", "/sheets/{sheet}/columns", json=choice))["id"]
    first, second = ann.add({here: payload, chosen: "o1"}, {here: payload})
    made(ann.edit(first, here, f"{payload}!"))
    made(ann.ask("DELETE", f"/sheets/{{sheet}}/rows?ids={second}"))

    sheet = ann.get("/sheets/{sheet}")
    assert (sheet["name"], sheet["description"]) == (payload, payload)
    columns = {one["id"]: one for one in ann.get("/sheets/{sheet}/columns")["columns"]}
    assert (columns[here]["name"], columns[here]["description"]) == (payload, payload)
    assert columns[chosen]["options"][0]["label"] == payload
    assert payload in [one["name"] for one in ann.get("/sheets")["sheets"]]
    assert ann.cell(first, here) == f"{payload}!"
    assert [row["id"] for row in ann.get("/sheets/{sheet}/rows", search=payload)["rows"]] == [first]
    assert ann.get("/sheets/{sheet}/changes", since=0)["version"] == ann.version
    (edit, *_), trashed = (
        ann.get(f"/sheets/{{sheet}}/rows/{first}/history")["changes"],
        ann.get("/sheets/{sheet}/trash"),
    )
    assert (edit["cells"][0]["old"], edit["cells"][0]["new"]) == (payload, f"{payload}!")
    assert trashed["rows"][0]["values"][str(here)] == payload
    assert any(line["new"] == f"{payload}!" for line in ann.get("/sheets/{sheet}/history")["changes"])
    differing = ann.get("/sheets/{sheet}/difference", **{"from": "version:1"})["differences"]
    assert payload in [text for one in differing for text in one.values()]


@every_payload
def test_a_payload_leaves_in_files_as_text(ann: Person, payload: str) -> None:
    (row,) = ann.add({DEAL: payload})
    assert ann.cell(row, DEAL) == payload
    content = ann.ask("GET", "/sheets/{sheet}/export").content.decode()
    (_, line) = csv.reader(io.StringIO(content))
    assert unescape_formula(line[0]) == payload
    assert line[0][0] not in "=+-@"
    book = openpyxl.load_workbook(io.BytesIO(ann.ask("GET", "/sheets/{sheet}/export?format=xlsx").content))
    cell = book.worksheets[0]["A2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (payload, "s", None)


@every_payload
def test_a_payload_in_a_refusal_is_told_as_json_and_nothing_else(ann: Person, payload: str) -> None:
    (row,) = ann.add({DEAL: "Acme"})
    answer = ann.edit(row, AMOUNT, payload)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


REFUSED: list[tuple[str, int, Any]] = [
    ("NUL", DEAL, "a\x00b"),
    ("a megabyte", DEAL, "x" * 2**20),
    ("1e400", AMOUNT, "1e400"),
    ("NaN", AMOUNT, "NaN"),
    ("Infinity", AMOUNT, "Infinity"),
    ("too many decimals", AMOUNT, "1000000000000000.12345"),
    ("a million in two spellings", AMOUNT, "1.000,5.0"),
    ("an object for a number", AMOUNT, {"$gt": 0}),
    ("a list for a text", DEAL, ["a"]),
    ("true for a number", AMOUNT, True),
    ("an option that is none", STAGE, "o99"),
    ("a label for an option", STAGE, "no such stage"),
    ("infinity for a date", CLOSE, "infinity"),
    ("the year 12026", CLOSE, "12026-01-01"),
    ("the year 0", CLOSE, "0000-01-01"),
    ("30 February", CLOSE, "2026-02-30"),
    ("a date of two meanings", CLOSE, "01/02/26"),
]


@pytest.mark.parametrize(("column", "value"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
@pytest.mark.parametrize("how", ["value", "text"])
def test_what_breaks_a_columns_rules_is_refused_and_the_old_value_kept(
    ann: Person, session: Session, column: int, value: Any, how: str
) -> None:
    if how == "text" and not isinstance(value, str):
        pytest.skip("only texts are typed")
    (row,) = ann.add({DEAL: "Acme", AMOUNT: "5", STAGE: "o1", CLOSE: "2026-01-05"})
    before, state = ann.get(f"/sheets/{{sheet}}/rows/{row}"), ann.version
    answer = ann.change(edits=[{"row": row, "column": column, how: value}])
    assert answer.status_code in {400, 422}, answer.text
    assert (ann.get(f"/sheets/{{sheet}}/rows/{row}"), ann.version) == (before, state)
    assert ann.ask("GET", "/sheets/{sheet}/rows").status_code == 200, "the sheet still opens"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", r"\\host\share"])
def test_a_link_that_leads_elsewhere_than_to_the_web_is_refused(ann: Person, address: str) -> None:
    here = made(ann.ask("POST", "/sheets/{sheet}/columns", json={"name": "Site", "type": "link"}))["id"]
    answer = ann.ask("POST", "/sheets/{sheet}/rows", json={"rows": [{str(DEAL): "Acme", str(here): address}]})
    assert answer.status_code == 422
    assert ann.get("/sheets/{sheet}/rows")["rows"] == []


def test_numbers_are_exact_or_refused(ann: Person) -> None:
    kept = {"0.30": "0.3", "-0": "0", "999999999999999.99": "999999999999999.99", "1,000.50": "1000.5"}
    for typed, stored in kept.items():
        (row,) = ann.add({DEAL: "Acme"})
        answer = ann.change(edits=[{"row": row, "column": AMOUNT, "text": typed}])
        assert answer.status_code == 200, (typed, answer.text)
        assert ann.cell(row, AMOUNT) in {stored, typed}, typed


def test_text_is_stored_in_one_composed_form(ann: Person) -> None:
    (row,) = ann.add({DEAL: unicodedata.normalize("NFD", "Café Zürich")})
    assert ann.cell(row, DEAL) == unicodedata.normalize("NFC", "Café Zürich")


def test_what_turns_the_direction_of_text_is_taken_out(ann: Person) -> None:
    (row,) = ann.add({DEAL: "invoice \u202efdp.exe\u2066"})
    assert ann.cell(row, DEAL) == "invoice fdp.exe"


def test_a_lone_surrogate_is_refused(ann: Person) -> None:
    content = b'{"rows": [{"1": "a\\ud800b"}]}'
    answer = ann.ask("POST", "/sheets/{sheet}/rows", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_three_hundred_megabytes_are_refused_at_once(ann: Person) -> None:
    began = time.monotonic()
    headers = {"Content-Type": "application/json", "Content-Length": str(300 * 2**20)}
    assert ann.ask("POST", "/sheets/{sheet}/rows", content=b"{}", headers=headers).status_code == 413
    assert time.monotonic() - began < 1


ODD_NAMES = ["__class__", "id", "_index", "version", "'; DROP TABLE x;--", "constructor", "1", "values", "null"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_column_of_any_name_is_a_column_like_any_other(ann: Person, name: str) -> None:
    here = made(ann.ask("POST", "/sheets/{sheet}/columns", json={"name": name, "type": "text"}))["id"]
    (row,) = ann.add({DEAL: "Acme", here: "kept"})
    assert ann.cell(row, here) == "kept"
    (found,) = ann.get("/sheets/{sheet}/rows", search="kept", sort=f"-{here}")["rows"]
    assert found["id"] == row
    header, line = csv.reader(io.StringIO(ann.ask("GET", "/sheets/{sheet}/export").content.decode()))
    assert dict(zip(map(unescape_formula, header), line, strict=True))[name] == "kept"


@pytest.mark.parametrize("name", ["x" * 500, "", "   ", "DEAL", "deal", "a\x00b"])
def test_a_column_name_that_cannot_be_told_from_another_is_refused(ann: Person, session: Session, name: str) -> None:
    before = session.scalar(text("SELECT count(*) FROM columns"))
    answer = ann.ask("POST", "/sheets/{sheet}/columns", json={"name": name, "type": "text"})
    assert answer.status_code in {400, 409, 422}, answer.text
    assert session.scalar(text("SELECT count(*) FROM columns")) == before
