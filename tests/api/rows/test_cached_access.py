"""Whoever edited or followed a moment ago is remembered, and may do by that nothing that they may do no more."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.auth.principal import NotSignedIn, session_id_of
from api.live.change_feed import answer_requests
from api.v1.row_batches import edit_round
from core.base.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.api.conftest import AMOUNT, DEAL, OWNER, People, Person
from tests.api.live.test_change_feed import question, told
from tests.api.rows.test_batched_edits import asking, body
from tests.conftest import actor

# What happens between two requests of Ben's: by Ann, or in the database.
Happening = Callable[[Person, Session], None]
BEN = "/sheets/{sheet}/collaborators/{ben}"


def done(method: str, path: str, **sent: object) -> Happening:
    def happen(ann: Person, _session: Session) -> None:
        answer = ann.ask(method, path.replace("{ben}", str(actor("Ben").user_id)), json=sent or None)
        assert answer.status_code < 300, answer.text

    return happen


def sql(statement: str) -> Happening:
    return lambda _, session: session.execute(text(statement), {"ben": actor("Ben").user_id}) and None


SESSION_ENDS = sql("UPDATE sessions SET ended_at = now() WHERE user_id = :ben")
SESSION_IDLES = sql("UPDATE sessions SET last_seen_at = now() - interval '13 hours' WHERE user_id = :ben")
LEAVES = sql("UPDATE users SET is_active = false WHERE user_id = :ben")
UNSHARED = done("DELETE", BEN)
VIEWS = done("PUT", BEN, level="viewer")
OWN_ROWS = done("PUT", BEN, level="editor", rows="own")
HIDDEN = done("PUT", f"/sheets/{{sheet}}/columns/{AMOUNT}/limits", editor="hidden")
READ_ONLY = done("PUT", f"/sheets/{{sheet}}/columns/{AMOUNT}/limits", editor="read-only")
ARCHIVED = done("POST", "/sheets/{sheet}/archive")
DELETED = done("DELETE", "/sheets/{sheet}/rows?ids=1")
MOVED = done(
    "PATCH",
    "/sheets/{sheet}/rows",
    operation_id="8b7f9c1e-35b0-4a2e-9c0e-6f1f4a3f5a11",
    edits=[{"row": 1, "column": AMOUNT, "value": "77"}],
)


@pytest.fixture
def pair(people: People) -> tuple[Person, Person]:
    """Ann, who owns the sheet, and Ben, who has just edited a cell and followed."""
    ann, ben = people("Ann"), people("Ben")
    ann.add({DEAL: "Mine", OWNER: str(actor("Ann").user_id)}, {DEAL: "Other"})
    body(edit_round([asking(ben, 1, AMOUNT, "1")])[0])
    told(answer_requests([question(ben)])[0])
    return ann, ben


@pytest.mark.parametrize(
    ("happens", "refusal"),
    [
        (SESSION_ENDS, NotSignedIn),
        (SESSION_IDLES, NotSignedIn),
        (LEAVES, NotSignedIn),
        (UNSHARED, NotFound),
        (VIEWS, NotAllowed),
        (OWN_ROWS, NotFound),
        (HIDDEN, NotFound),
        (READ_ONLY, Invalid),
        (ARCHIVED, NotAllowed),
        (DELETED, NotFound),
        (MOVED, Conflict),
    ],
)
def test_an_editor_writes_nothing_that_they_may_write_no_more(
    pair: tuple[Person, Person], session: Session, happens: Happening, refusal: type[Exception]
) -> None:
    ann, ben = pair
    base = ann.version
    happens(ann, session)
    before = ann.version
    (found,) = edit_round([asking(ben, 1, AMOUNT, "4711", base=base)])
    assert isinstance(found, refusal), found
    assert ann.version == before


@pytest.mark.parametrize(
    ("happens", "refusal"), [(SESSION_ENDS, 401), (SESSION_IDLES, 401), (LEAVES, 401), (UNSHARED, NotFound)]
)
def test_a_follower_is_told_nothing_any_more(
    pair: tuple[Person, Person], session: Session, happens: Happening, refusal: type[Exception] | int
) -> None:
    ann, ben = pair
    happens(ann, session)
    (found,) = answer_requests([question(ben)])
    assert getattr(found, "status_code", type(found)) == refusal


@pytest.mark.parametrize(("happens", "unseen"), [(OWN_ROWS, "Mine"), (HIDDEN, "4711")])
def test_a_follower_is_told_what_they_may_see_now(
    pair: tuple[Person, Person], session: Session, happens: Happening, unseen: str
) -> None:
    ann, ben = pair
    assert ann.edit(1, AMOUNT, "4711").status_code == 200
    assert unseen in told(answer_requests([question(ben)])[0])
    happens(ann, session)
    assert unseen not in told(answer_requests([question(ben)])[0])


def test_an_ended_session_does_not_write_beside_a_living_one_of_the_same_person(
    people: People, session: Session
) -> None:
    ann, here, elsewhere = people("Ann"), people("Ben"), people("Ben")
    ann.add({DEAL: "A"}, {DEAL: "B"})
    body(edit_round([asking(here, 1, AMOUNT, "1")])[0])
    body(edit_round([asking(elsewhere, 2, AMOUNT, "1")])[0])
    ended, living = (session_id_of(question(one).caller.headers) for one in (elsewhere, here))
    assert ended != living
    session.execute(text("UPDATE sessions SET ended_at = now() WHERE session_id = :id"), {"id": ended})
    fine, refused = edit_round([asking(here, 1, AMOUNT, "2"), asking(elsewhere, 2, AMOUNT, "2")])
    assert body(fine)["saved"][0]["value"] == "2"
    assert isinstance(refused, NotSignedIn)
    assert ann.cell(2, AMOUNT) == "1"


def test_whoever_only_looks_is_remembered_as_that(people: People) -> None:
    ann, cleo = people("Ann"), people("Cleo")
    ann.add({DEAL: "A"})
    told(answer_requests([question(cleo)])[0])
    (found,) = edit_round([asking(cleo, 1, AMOUNT, "1")])
    assert isinstance(found, NotAllowed)
    assert ann.cell(1, AMOUNT) is None


def test_whoever_was_refused_may_edit_again_when_they_are_let(pair: tuple[Person, Person], session: Session) -> None:
    ann, ben = pair
    VIEWS(ann, session)
    assert isinstance(edit_round([asking(ben, 1, AMOUNT, "2")])[0], NotAllowed)
    done("PUT", BEN, level="editor")(ann, session)
    assert body(edit_round([asking(ben, 1, AMOUNT, "2")])[0])["saved"][0]["value"] == "2"


def test_an_edit_and_what_is_told_of_it_are_a_statement_each(
    pair: tuple[Person, Person], quick_statements: list[str]
) -> None:
    _, ben = pair
    quick_statements.clear()
    body(edit_round([asking(ben, 1, AMOUNT, "3")])[0])
    told(answer_requests([question(ben)])[0])
    assert ["write_edits" in statement for statement in quick_statements] == [True, False]


def test_whoever_sees_only_some_rows_enters_once_an_edit(
    pair: tuple[Person, Person], session: Session, quick_statements: list[str]
) -> None:
    ann, ben = pair
    assert ann.edit(1, OWNER, str(actor("Ben").user_id)).status_code == 200
    OWN_ROWS(ann, session)
    for value in ("2", "3", "4"):  # Remembered as before; looked up; remembered as now.
        quick_statements.clear()
        body(edit_round([asking(ben, 1, AMOUNT, value)])[0])
    assert sum("who.name" in statement for statement in quick_statements) == 1
    assert not any("write_edits" in statement for statement in quick_statements)


def test_two_who_edit_one_row_at_the_same_time_are_both_saved_by_the_versions_of_their_cells(
    pair: tuple[Person, Person],
) -> None:
    ann, ben = pair
    base = ann.version
    found = edit_round([asking(ann, 1, AMOUNT, "5", base=base), asking(ben, 1, DEAL, "Ours", base=base)])
    assert [body(one)["version"] for one in found] == [base + 1, base + 2]
    assert (ann.cell(1, AMOUNT), ann.cell(1, DEAL)) == ("5", "Ours")


def test_a_value_that_is_there_already_is_answered_with_its_own_version(pair: tuple[Person, Person]) -> None:
    ann, ben = pair
    version = body(edit_round([asking(ben, 2, AMOUNT, "6")])[0])["version"]
    body(edit_round([asking(ann, 2, DEAL, "Another")])[0])
    (cell,) = body(edit_round([asking(ben, 2, AMOUNT, "6.0")])[0])["saved"]
    assert cell["version"] == version
