"""Followers: whoever asks together what changed is told what they alone would be told."""

from fastapi import HTTPException, Response
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.auth.principal import NotSignedIn
from api.auth.request import Caller
from api.live.change_feed import ChangesRequest, answer_requests
from core.base.errors import NotFound
from tests.api.conftest import AMOUNT, DEAL, OWNER, People, Person
from tests.conftest import actor


def question(who: Person, since: int = 0) -> ChangesRequest:
    headers = {"authorization": f"Bearer {who.token}"} if who.token else {}
    return ChangesRequest(Caller(headers, "192.0.2.1", who.sheet, only_reads=True), who.sheet, since)


def told(found: object) -> str:
    assert isinstance(found, Response), found
    return bytes(found.body).decode()


def test_each_is_told_what_they_may_see(people: People, session: Session) -> None:
    ann, ben, dan, nobody = people("Ann"), people("Ben"), people("Dan"), Person(people("Ann").client, "")
    nobody.sheet = ann.sheet
    _mine, _theirs = ann.add({DEAL: "Mine", OWNER: str(actor("Dan").user_id)}, {DEAL: "Theirs", AMOUNT: "4711"})
    ann.ask("PUT", f"/sheets/{{sheet}}/columns/{AMOUNT}/limits", json={"editor": "hidden"})
    share = "INSERT INTO collaborators (sheet_id, user_id, level, row_scope) VALUES (:sheet, :dan, 'viewer', 'own')"
    session.execute(text(share), {"sheet": ann.sheet, "dan": actor("Dan").user_id})
    found = answer_requests([question(one) for one in (ann, dan, ben, nobody, ann)])
    assert "4711" in told(found[0])
    assert "Theirs" not in told(found[1])
    assert "Mine" in told(found[1])
    assert "Theirs" in told(found[2])
    assert "4711" not in told(found[2])
    assert isinstance(found[3], NotSignedIn)
    assert told(found[4]) == told(found[0]) == ann.ask("GET", "/sheets/{sheet}/changes", params={"since": 0}).text


def test_a_stranger_among_them_is_refused_and_the_others_are_answered(people: People) -> None:
    ann, dan = people("Ann"), people("Dan")
    ann.add({DEAL: "Acme"})
    refused, fine = answer_requests([question(dan), question(ann)])
    assert isinstance(refused, NotFound)
    assert "Acme" in told(fine)


def test_many_who_ask_the_same_cost_two_statements(people: People, quick_statements: list[str]) -> None:
    ann, ben = people("Ann"), people("Ben")
    ann.add({DEAL: "Acme"})
    answer_requests([question(who) for who in (ann, ben)])
    quick_statements.clear()
    answer_requests([question(who) for who in (ann, ben) * 20])
    assert len(quick_statements) == 2, "one for the owner, one for the editor: a level of its own"
    assert all("logged_lines" in statement for statement in quick_statements)


def test_an_ended_session_is_told_so(people: People, session: Session) -> None:
    ben = people("Ben")
    session.execute(text("UPDATE sessions SET ended_at = now()"))
    (found,) = answer_requests([question(ben)])
    assert isinstance(found, HTTPException)
    assert found.status_code == 401
