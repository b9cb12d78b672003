"""Import and export as programs meet them."""

import io
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from core.config.rate_settings import Rate
from core.limits.rate_limits import configure_limits
from tests.api.conftest import AMOUNT, DEAL, STAGE, People, Person

CSV = "Deal,Stage,Amount\nAcme renewal,Lead,1200.50\nGlobex,Won,99\n"


def send(who: Person, text: str | bytes, plan: Any = None, **more: Any) -> httpx.Response:
    data = {"plan": json.dumps(plan)} if plan is not None else {}
    content = text.encode() if isinstance(text, str) else text
    query = {"dry_run": "true"} if more.pop("dry_run", False) else {}
    files = {"file": ("deals.csv", io.BytesIO(content), "text/csv")}
    return who.ask("POST", "/sheets/{sheet}/import", files=files, data=data | more, params=query)


def test_a_file_becomes_rows(people: People) -> None:
    ann = people("Ann")
    answer = send(ann, CSV)
    assert answer.status_code == 201, answer.text
    assert answer.json()["rows"] == 2
    first = answer.json()["first_row"]
    assert ann.cell(first, DEAL) == "Acme renewal"
    assert ann.cell(first, AMOUNT) == "1200.5"
    assert ann.cell(first + 1, STAGE) == "o5"


def test_a_dry_run_answers_the_plan_and_writes_nothing(people: People) -> None:
    ann = people("Ann")
    before = ann.version
    tried = send(ann, CSV, dry_run=True).json()
    assert tried["rows"] == 2
    assert tried["preview"][0] == {"Deal": "Acme renewal", "Stage": "Lead", "Amount": "1200.5"}
    assert tried["refusal"] is None
    assert ann.version == before
    assert send(ann, CSV, tried["plan"]).json()["rows"] == 2


def test_a_value_that_does_not_fit_refuses_the_file_with_its_line(people: People) -> None:
    ann = people("Ann")
    before = ann.version
    answer = send(ann, "Deal,Amount\nA,5\nB,many\n")
    assert answer.status_code == 422
    assert "line 3" in answer.json()["detail"]
    assert answer.json()["misfits"][0]["first"][0]["text"] == "many"
    assert ann.version == before


def test_the_person_may_leave_such_cells_empty(people: People) -> None:
    answer = send(people("Ann"), "Deal,Amount\nA,5\nB,many\n", {"columns": [{"name": "Amount", "on_misfit": "empty"}]})
    assert (answer.json()["rows"], answer.json()["emptied"]) == (2, 1)


def test_a_repeated_operation_is_done_once(people: People) -> None:
    ann, operation = people("Ann"), str(uuid4())
    first = send(ann, CSV, operation_id=operation).json()
    again = send(ann, CSV, operation_id=operation).json()
    assert first == again
    assert ann.version == first["version"]


def test_an_editor_imports_into_the_columns_there_are_and_makes_none(people: People) -> None:
    ben = people("Ben")
    assert send(ben, CSV).status_code == 201
    refused = send(ben, "Deal,Region\nA,North\n")
    assert refused.status_code == 403
    left_out = send(ben, "Deal,Region\nA,North\n", {"columns": [{"name": "Region", "skip": True}]})
    assert left_out.status_code == 201


@pytest.mark.parametrize(("name", "status"), [("Cleo", 403), ("Dan", 404), ("nobody", 401)])
def test_who_may_not_import_is_told_so(people: People, name: str, status: int) -> None:
    assert send(people(name), CSV).status_code == status


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "picture"),
        (b"%PDF-1.7 something", "PDF"),
        (b"PK\x03\x04\x14\0workbook", "Excel workbook"),
        (b"", "empty"),
        (b"Deal,Amount\n", "no rows"),
    ],
)
def test_a_file_that_is_no_csv_gets_one_sentence(people: People, content: bytes, sentence: str) -> None:
    answer = send(people("Ann"), content)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]


def test_a_file_that_is_too_large_is_refused_unread(people: People) -> None:
    headers = {"content-length": str(200 * 2**20), "content-type": "multipart/form-data; boundary=x"}
    answer = people("Ann").ask("POST", "/sheets/{sheet}/import", content=b"", headers=headers)
    assert answer.status_code == 413
    assert "100 MB" in answer.json()["detail"]


def test_a_stream_without_a_length_ends_at_the_limit(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.v1.imports.MAX_BYTES", 2**20)
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    sent: list[int] = []

    def chunks() -> Iterator[bytes]:
        yield form
        for _ in range(40):
            sent.append(1)
            yield b"a,b\n" * 2**16

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = people("Ann").ask("POST", "/sheets/{sheet}/import", content=chunks(), headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize("plan", ["[]", "7", '{"format": 3}', '{"columns": {}}', '{"columns": [{"source": 99}]}', "{"])
def test_a_malformed_plan_is_refused(people: People, plan: str) -> None:
    files = {"file": ("a.csv", io.BytesIO(CSV.encode()), "text/csv")}
    answer = people("Ann").ask("POST", "/sheets/{sheet}/import", files=files, data={"plan": plan})
    assert answer.status_code in {400, 422}
    assert answer.json()["detail"]


def test_a_form_without_a_file_is_refused(people: People) -> None:
    assert people("Ann").ask("POST", "/sheets/{sheet}/import", files={"other": b"x"}).status_code == 400
    assert people("Ann").ask("POST", "/sheets/{sheet}/import", json={"file": "x"}).status_code == 415


def test_what_was_exported_is_the_view(people: People) -> None:
    ann = people("Ann")
    send(ann, CSV)
    query = {"format": "csv", "columns": f"{AMOUNT},{DEAL}", "sort": str(AMOUNT)}
    answer = people("Cleo").ask("GET", "/sheets/{sheet}/export", params=query)
    assert answer.text == "Amount,Deal\r\n99,Globex\r\n1200.5,Acme renewal\r\n"
    assert answer.headers["content-type"].startswith("text/csv")
    assert "Deals.csv" in answer.headers["content-disposition"]
    filtered = ann.ask("GET", "/sheets/{sheet}/export", params=query | {"search": "globex"})
    assert filtered.text == "Amount,Deal\r\n99,Globex\r\n"


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_strangers_get_no_export(people: People, kind: str) -> None:
    query = {"format": kind}
    assert people("Dan").ask("GET", "/sheets/{sheet}/export", params=query).status_code == 404
    assert people("nobody").ask("GET", "/sheets/{sheet}/export", params=query).status_code == 401
    assert people("Ben").ask("GET", "/sheets/{sheet}/export", params=query).status_code == 200


def test_an_export_of_a_column_that_is_not_there_is_refused(people: People) -> None:
    assert people("Ann").ask("GET", "/sheets/{sheet}/export", params={"columns": "99"}).status_code == 404


def test_files_of_one_person_come_a_few_a_minute(people: People) -> None:
    configure_limits({"export": Rate(2, 60), "import": Rate(2, 60)})
    ann, ben = people("Ann"), people("Ben")

    def export(who: Person) -> httpx.Response:
        return who.ask("GET", "/sheets/{sheet}/export")

    assert [export(ann).status_code for _ in range(3)] == [200, 200, 429]
    assert export(ben).status_code == 200
    assert [send(ann, "Deal\nAcme", dry_run=True).status_code for _ in range(3)] == [200, 200, 429]
    refused = send(ann, "Deal\nAcme")
    assert refused.status_code == 429
    assert refused.json()["detail"].startswith("Too many imports. Try again in ")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
