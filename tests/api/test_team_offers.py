"""Whom a manager puts into a team is asked, and until they accept nobody sees more by it; then the owner is told."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.api.conftest import AMOUNT, DEAL, OWNER, People, Person

ANN, BEN, DAN = "2", "3", "5"


@pytest.fixture
def manager(session: Session, people: People) -> Person:
    """Dan, a manager, who is given “their team's rows” of a sheet with one row of Ann's and one of Ben's."""
    session.execute(text("UPDATE users SET role = 'manager' WHERE name = 'Dan'"))
    ann = people("Ann")
    ann.add({DEAL: "Ann's", OWNER: ANN, AMOUNT: "70000"}, {DEAL: "Ben's", OWNER: BEN, AMOUNT: "1"})
    shared = ann.ask("PUT", f"/sheets/{{sheet}}/collaborators/{DAN}", json={"level": "viewer", "rows": "team"})
    assert shared.status_code == 200
    return people("Dan")


def put(who: Person, team: int, user: str) -> list[tuple[str, bool]]:
    answer = who.ask("PUT", f"/teams/{team}/members/{user}", json={})
    assert answer.status_code == 200, answer.text
    return [(one["name"], one["is_accepted"]) for one in answer.json()["members"]]


def make_team(who: Person) -> int:
    number: int = who.ask("POST", "/teams", json={"name": "Mine"}).json()["id"]
    return number


def deals(who: Person) -> list[Any]:
    return [row["values"][str(DEAL)] for row in who.get("/sheets/{sheet}/rows")["rows"]]


def told(owner: Person) -> list[str]:
    events = owner.get("/audit", sheet=owner.sheet)["events"]
    return [one["sentence"] for one in events if one["action"] == "sheet:share:reach"]


def test_a_manager_who_puts_somebody_into_a_team_sees_their_rows_once_they_accept(
    manager: Person, people: People
) -> None:
    ann, team = people("Ann"), make_team(manager)
    assert put(manager, team, ANN) == [("Dan", True), ("Ann", False)]
    assert put(manager, team, BEN) == [("Dan", True), ("Ann", False), ("Ben", False)]
    assert (deals(manager), told(ann)) == ([], [])
    (offer,) = ann.get("/me/team-offers")["offers"]
    assert offer == {"id": team, "name": "Mine", "by": "Dan", "is_manager": False}
    assert ann.ask("PUT", f"/me/team-offers/{team}").json() == {"offers": []}
    assert deals(manager) == ["Ann's"]
    assert told(ann) == ["More of “Deals” became visible: Ann joined the team “Mine”"]


def test_who_declines_is_not_in_the_team_and_is_asked_again_by_another_offer_only(
    manager: Person, people: People
) -> None:
    ann, team = people("Ann"), make_team(manager)
    for _ in range(2):
        put(manager, team, ANN)
        assert ann.ask("DELETE", f"/me/team-offers/{team}").status_code == 200
        assert [ann.ask(method, f"/me/team-offers/{team}").status_code for method in ("PUT", "DELETE")] == [404, 404]
    assert deals(manager) == []


def test_whom_an_administrator_puts_into_a_team_is_in_it_at_once_and_the_owner_is_told(
    manager: Person, people: People
) -> None:
    team = make_team(manager)
    put(manager, team, BEN)
    assert put(people("Ada"), team, BEN) == [("Dan", True), ("Ben", True)]
    assert deals(manager) == ["Ben's"]
    assert told(people("Ann")) == ["More of “Deals” became visible: Ben joined the team “Mine”"]


def test_who_was_in_a_team_and_is_put_there_again_by_a_manager_is_asked_again(manager: Person, people: People) -> None:
    team = make_team(manager)
    put(people("Ada"), team, BEN)
    manager.ask("DELETE", f"/teams/{team}/members/{BEN}")
    assert put(manager, team, BEN) == [("Dan", True), ("Ben", False)]
    assert deals(manager) == []


def test_who_has_not_accepted_gets_nothing_by_the_team_and_manages_nothing(
    session: Session, manager: Person, people: People
) -> None:
    session.execute(text("UPDATE users SET role = 'manager' WHERE name = 'Cleo'"))
    cleo, ann, team = people("Cleo"), people("Ann"), make_team(manager)
    assert manager.ask("PUT", f"/teams/{team}/members/4", json={"is_manager": True}).status_code == 200
    ann.ask("DELETE", "/sheets/{sheet}/collaborators/4")
    ann.ask("PUT", f"/sheets/{{sheet}}/team-collaborators/{team}", json={"level": "viewer", "rows": "own"})
    ann.ask("PUT", "/sheets/{sheet}/collaborators/5", json={"level": "viewer", "rows": "own"})
    assert cleo.ask("GET", "/sheets/{sheet}/rows").status_code == 404
    assert cleo.ask("PUT", f"/teams/{team}/members/{BEN}", json={}).status_code == 403
    assert ann.get("/people", search="Mine")["people"] == [
        {"id": 5, "name": "Dan", "email": "dan@example.com", "role": "manager", "teams": ["Mine"]}
    ]
    assert ann.get("/sheets/{sheet}/collaborators")["teams"][0]["size"] == 1
    cleo.ask("PUT", f"/me/team-offers/{team}")
    assert deals(cleo) == []
    assert told(ann) == ["More of “Deals” became visible: Cleo joined the team “Mine” as its manager"]
    assert cleo.ask("PUT", f"/teams/{team}/members/{BEN}", json={}).status_code == 200


def test_who_becomes_a_manager_of_a_team_that_is_given_its_own_rows_is_told_to_the_owner(
    manager: Person, people: People
) -> None:
    ann, ada, team = people("Ann"), people("Ada"), make_team(manager)
    ann.ask("PUT", f"/sheets/{{sheet}}/team-collaborators/{team}", json={"level": "viewer", "rows": "own"})
    put(ada, team, BEN)
    for is_manager in (True, True, False):
        manager.ask("PUT", f"/teams/{team}/members/{BEN}", json={"is_manager": is_manager})
    assert told(ann) == [
        "More of “Deals” became visible: Ben became a manager of the team “Mine”",
        "More of “Deals” became visible: Ben joined the team “Mine”",
    ]
