"""Who I am, where I am signed in, and whom I work with, through the API."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base.permissions import Scope
from core.sign_in.api_tokens import create_token, my_tokens
from tests.api.conftest import People
from tests.conftest import actor


def test_i_change_my_name_and_how_i_like_things_written(people: People) -> None:
    ann = people("Ann")
    changed = ann.ask(
        "PATCH", "/me", json={"name": " Ann  Berg ", "number_format": "1 234,5", "time_zone": "Europe/Oslo"}
    )
    assert changed.json() == ann.get("/me")
    assert changed.json() == {
        "id": 2,
        "name": "Ann Berg",
        "email": "ann@example.com",
        "role": "member",
        "date_format": "iso",
        "number_format": "1 234,5",
        "time_zone": "Europe/Oslo",
    }


@pytest.mark.parametrize(
    "body", [{"role": "admin"}, {"email": "x@example.com"}, {"id": 1}, {"name": ""}, {"time_zone": "Mars/Base"},
             {"number_format": "1_0"}, {"is_active": False}, {"name": "a\u0000b"}]
)  # fmt: skip
def test_nothing_else_changes(people: People, body: dict[str, object]) -> None:
    ann = people("Ann")
    before = ann.get("/me")
    assert ann.ask("PATCH", "/me", json=body).status_code == 422
    assert ann.get("/me") == before


def test_i_end_one_session_or_all_others(people: People) -> None:
    here, there, elsewhere, ben = people("Ann"), people("Ann"), people("Ann"), people("Ben")
    listed = there.get("/me/sessions")["sessions"]
    (this,) = [one["id"] for one in listed if one["is_this"]]
    assert len(listed) == 3
    assert ben.ask("DELETE", f"/me/sessions/{this}").status_code == 404
    assert here.ask("DELETE", f"/me/sessions/{this}").status_code == 204
    assert there.ask("GET", "/me").status_code == 401
    assert here.ask("POST", "/me/sign-out-elsewhere", json={}).status_code == 204
    answers = [one.ask("GET", "/me").status_code for one in (here, elsewhere, ben)]
    assert answers == [200, 401, 200]


def test_signing_out_elsewhere_ends_tokens_unless_they_are_spared(people: People, session: Session) -> None:
    ann = people("Ann")
    create_token(session, actor("Ann"), name="Report", scope=Scope.READ, days=1)

    def left(body: dict[str, bool]) -> int:
        assert ann.ask("POST", "/me/sign-out-elsewhere", json=body).status_code == 204
        return len(my_tokens(session, actor("Ann")))

    assert [left({"tokens": False}), left({})] == [1, 0]


def test_people_are_found_by_name_address_and_team(people: People, session: Session) -> None:
    session.execute(text("INSERT INTO teams (name) VALUES ('Inside Sales')"))
    session.execute(
        text("INSERT INTO team_members (team_id, user_id, accepted_at) SELECT team_id, 3, now() FROM teams")
    )
    session.execute(text("UPDATE users SET is_active = false WHERE name = 'Dan'"))
    ann = people("Ann")

    def found(search: str) -> list[str]:
        return [one["name"] for one in ann.ask("GET", "/people", params={"search": search}).json()["people"]]

    assert found("") == ["Ada", "Ann", "Ben", "Cleo"]
    assert found("BEN") == found("ben@example") == found("inside ben") == ["Ben"]
    assert found("dan") == found("%") == found("_nn") == found("' OR 1=1 --") == found("\x00q") == []
    (ben,) = ann.ask("GET", "/people", params={"search": "ben"}).json()["people"]
    assert ben == {"id": 3, "name": "Ben", "email": "ben@example.com", "role": "member", "teams": ["Inside Sales"]}


def test_a_list_of_people_is_bounded(people: People) -> None:
    ann = people("Ann")
    assert len(ann.ask("GET", "/people?limit=2").json()["people"]) == 2
    for wrong in ("limit=0", "limit=101", "search=" + "x" * 201):
        assert ann.ask("GET", f"/people?{wrong}").status_code == 422
