"""Writers: small edits that arrive at the same time are written together, and each is answered as if it were alone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm import Session

from api.auth.principal import NotSignedIn
from api.auth.request import Caller
from api.v1 import row_batches
from api.v1.row_batches import EditRequest, EditResponse, edit_round
from core.base.errors import Conflict, Invalid, NotAllowed, NotFound
from core.base.permissions import Scope
from core.edits.batch import Batch, CellInput, Edit
from core.edits.operation import ChangeSource
from core.edits.write import RowEdit
from core.sign_in.api_tokens import create_token
from db import engine as db
from tests.api.conftest import AMOUNT, DEAL, People, Person
from tests.bench.bench_statements import recorded
from tests.conftest import actor


def asking(who: Person, row: int, column: int, value: Any, **more: Any) -> EditRequest:
    headers = {"authorization": f"Bearer {who.token}"} if who.token else {}
    batch = Batch(edits=(Edit(row, column, CellInput(value), more.pop("base", None)),))
    usual = {"person": None, "expected_version": None, "unbased": ((row, column),)}
    edit = RowEdit(batch, more.pop("operation_id", None) or uuid4(), ChangeSource.API, more.pop("partial", False))
    return EditRequest(Caller(headers, "192.0.2.1", who.sheet), who.sheet, edit, **usual | more)


def body(found: EditResponse | Exception) -> Any:
    assert isinstance(found, EditResponse), found
    return orjson.loads(bytes(found.response.body))


def test_each_edit_is_a_version_of_its_own_by_whoever_made_it(people: People) -> None:
    ann, ben = people("Ann"), people("Ben")
    rows = ann.add(*({DEAL: f"Deal {n}"} for n in range(4)))
    before = ann.version
    asked = [asking(who, row, AMOUNT, "1") for who, row in zip((ann, ben, ann, ben), rows, strict=True)]
    answers = [body(one) for one in edit_round(asked)]
    assert [one["version"] for one in answers] == [before + n for n in (1, 2, 3, 4)]
    assert [one["saved"][0]["row"] for one in answers] == rows
    lines = ann.get("/sheets/{sheet}/history", limit=4)["changes"]
    assert [(line["row"], line["by"]) for line in lines] == [*zip(rows, ("Ann", "Ben", "Ann", "Ben"), strict=True)][
        ::-1
    ]


def test_a_request_that_comes_again_is_answered_the_same_and_done_once(people: People) -> None:
    ann = people("Ann")
    first, second = ann.add({DEAL: "A"}, {DEAL: "B"})
    asked = [asking(ann, first, AMOUNT, "1"), asking(ann, second, AMOUNT, "2")]
    answers = [body(one) for one in edit_round(asked)]
    version = ann.version
    assert [body(one) for one in edit_round([*asked, *asked])] == answers * 2
    assert ann.version == version


def test_of_two_who_change_one_cell_at_the_same_time_one_is_saved_and_the_other_sees_both(people: People) -> None:
    ann, ben = people("Ann"), people("Ben")
    row, other = ann.add({DEAL: "A"}, {DEAL: "B"})
    base = ann.version
    asked = [asking(ann, row, AMOUNT, "1", base=base), asking(ben, row, AMOUNT, "2", base=base)]
    saved, conflict, third = edit_round([*asked, asking(ben, other, AMOUNT, "3", base=base)])
    assert body(saved)["saved"][0]["value"] == "1"
    assert isinstance(conflict, Conflict)
    (cell,) = conflict.facts["cells"]
    assert (cell["mine"], cell["theirs"], cell["by"]) == ("2", "1", "Ann")
    assert body(third)["saved"][0]["value"] == "3"
    assert (ann.cell(row, AMOUNT), ann.cell(other, AMOUNT)) == ("1", "3")


def test_whoever_is_refused_is_told_why_and_the_others_are_written(people: People, session: Session) -> None:
    ann, cleo, dan, nobody = people("Ann"), people("Cleo"), people("Dan"), Person(people("Ann").client, "")
    nobody.sheet = ann.sheet
    rows = ann.add(*({DEAL: f"Deal {n}"} for n in range(6)))
    found = edit_round(
        [
            asking(ann, rows[0], AMOUNT, "no number"),
            asking(cleo, rows[1], AMOUNT, "1"),
            asking(dan, rows[2], AMOUNT, "1"),
            asking(nobody, rows[3], AMOUNT, "1"),
            asking(ann, rows[4], AMOUNT, "1", person=actor("Ben").user_id),
            asking(ann, 4711, AMOUNT, "1"),
            asking(ann, rows[5], AMOUNT, "6"),
        ]
    )
    assert [type(one) for one in found[:-1]] == [Invalid, NotAllowed, NotFound, NotSignedIn, NotSignedIn, NotFound]
    assert body(found[-1])["saved"][0]["value"] == "6"
    assert [ann.cell(row, AMOUNT) for row in rows[:-1]] == [None] * 5


def test_a_personal_token_writes_as_well_unless_it_may_only_read(people: People, session: Session) -> None:
    ann = people("Ann")
    robot, reader = (
        Person(ann.client, create_token(session, actor("Ann"), name="Robot", scope=scope, days=1), ann.sheet)
        for scope in (Scope.WRITE, Scope.READ)
    )
    first, second = ann.add({DEAL: "A"}, {DEAL: "B"})
    wrote, read, also = edit_round(
        [asking(robot, first, AMOUNT, "1"), asking(reader, first, AMOUNT, "3"), asking(ann, second, AMOUNT, "2")]
    )
    assert [body(one)["saved"][0]["value"] for one in (wrote, also)] == ["1", "2"]
    assert isinstance(read, Exception)
    assert ann.cell(first, AMOUNT) == "1"


def failing(error: type[Exception], cause: psycopg.Error) -> Callable[..., Any]:
    def fail(*_given: Any) -> Any:
        raise error("edit", {}, cause)  # type: ignore[call-arg]

    return fail


def test_one_that_the_database_cannot_take_does_not_harm_the_others(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = people("Ann")
    rows = ann.add({DEAL: "A"}, {DEAL: "B"})
    monkeypatch.setattr(row_batches, "write_round", failing(DataError, psycopg.DataError()))
    answers = edit_round([asking(ann, row, AMOUNT, "1") for row in rows])
    assert [body(one)["saved"][0]["value"] for one in answers] == ["1", "1"]


def test_where_the_sheet_is_held_nobody_waits_twice(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = people("Ann")
    rows = ann.add({DEAL: "A"}, {DEAL: "B"})
    monkeypatch.setattr(row_batches, "write_round", failing(OperationalError, psycopg.errors.LockNotAvailable()))
    monkeypatch.setattr(row_batches, "edit_alone", lambda _: pytest.fail("one by one"))
    with pytest.raises(OperationalError):
        edit_round([asking(ann, row, AMOUNT, "1") for row in rows])


def test_where_one_who_is_alone_finds_the_sheet_held_the_rest_do_not_try(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = people("Ann")
    rows = ann.add({DEAL: "A"}, {DEAL: "B"}, {DEAL: "C"})
    tried: list[EditRequest] = []

    def held(asked: EditRequest) -> EditResponse:
        tried.append(asked)
        raise OperationalError("", {}, psycopg.errors.LockNotAvailable())

    monkeypatch.setattr(row_batches, "write_round", failing(DataError, psycopg.DataError()))
    monkeypatch.setattr(row_batches, "edit_alone", held)
    answers = edit_round([asking(ann, row, AMOUNT, "1") for row in rows])
    assert [type(one) for one in answers] == [OperationalError] * 3
    assert len(tried) == 1


def test_those_who_write_at_the_same_time_share_a_transaction(live_people: People) -> None:
    ann = live_people("Ann")
    rows = ann.add(*({DEAL: f"Deal {n}"} for n in range(8)))
    answers = [body(one) for one in edit_round([asking(ann, row, AMOUNT, "5") for row in rows])]
    with db.transaction() as session:
        wrote = session.execute(
            text("SELECT count(DISTINCT recorded_at), count(*) FROM changes WHERE version = ANY(:versions)"),
            {"versions": [one["version"] for one in answers]},
        ).one()
        made = session.scalar(text("SELECT count(DISTINCT xmin::text) FROM operations"))
    assert wrote[1] == 8
    assert made == 2, "the rows were one, the eight edits another"


def test_many_programs_at_once_lose_nothing(live_people: People) -> None:
    ann = live_people("Ann")
    rows = ann.add(*({DEAL: f"Deal {n}"} for n in range(5)))
    before = ann.version

    def hammer(number: int) -> list[int]:
        return [ann.edit(rows[(number + n) % 5], AMOUNT, str(100 * number + n)).status_code for n in range(10)]

    with ThreadPoolExecutor(8) as pool:
        assert {code for codes in pool.map(hammer, range(8)) for code in codes} == {200}
    assert ann.version == before + 80
    with db.transaction() as session:
        lines = session.execute(
            text("SELECT row_id, old, new FROM changes WHERE version > :before ORDER BY version"), {"before": before}
        ).all()
    seen: dict[int, Any] = {}
    for row, old, new in lines:
        assert old == seen.get(row), "each edit names what it was written over"
        seen[row] = new
    assert len(lines) == 80


@pytest.mark.parametrize("partial", [True, False])
def test_a_conflict_is_decided_by_what_the_writing_statement_found(
    people: People, session: Session, quick_statements: list[str], partial: bool
) -> None:
    """The statement that would have written gives the cell as it is now: it is neither read nor judged twice."""
    ann, ben = people("Ann"), people("Ben")
    (row,) = ann.add({DEAL: "A", AMOUNT: "1"})
    base = ann.version
    body(edit_round([asking(ann, row, AMOUNT, "2")])[0])
    body(edit_round([asking(ben, row, DEAL, "B")])[0])
    quick_statements.clear()
    with recorded(session.connection()) as statements:
        (result,) = edit_round([asking(ben, row, AMOUNT, "3", base=base, partial=partial)])
    sent = [statement for statement in statements if "SAVEPOINT" not in statement]
    assert sum("write_edits" in statement for statement in quick_statements) == 1
    assert len(quick_statements) + len(sent) <= 3
    (cell,) = body(result)["conflicts"] if partial else result.facts["cells"]  # type: ignore[union-attr]
    assert {name: cell[name] for name in ("mine", "theirs", "original", "by", "version")} == {
        "mine": "3",
        "theirs": "2",
        "original": "1",
        "by": "Ann",
        "version": base + 1,
    }


def test_edits_of_one_round_are_one_statement_and_a_version_each(
    people: People, session: Session, quick_statements: list[str]
) -> None:
    ann, ben = people("Ann"), people("Ben")
    rows = ann.add(*({DEAL: f"Deal {n}"} for n in range(6)))
    body(edit_round([asking(ann, rows[0], AMOUNT, "1")])[0])
    body(edit_round([asking(ben, rows[1], AMOUNT, "1")])[0])
    before = ann.version
    quick_statements.clear()
    with recorded(session.connection()) as statements:
        results = edit_round([asking(who, row, AMOUNT, "7") for who, row in zip([ann, ben] * 3, rows, strict=True)])
    assert [body(one)["version"] for one in results] == [before + n for n in range(1, 7)]
    assert len(quick_statements) == 1
    assert [statement for statement in statements if "SAVEPOINT" not in statement] == []
