"""Teams through the API, and what an open live connection hears of them."""

import time

import pytest
from starlette.websockets import WebSocketDisconnect

from core.base.permissions import Level
from core.sharing.shares import share_with_team
from core.sharing.teams import add_member, create_team, remove_member
from db import engine as db
from tests.api.conftest import People
from tests.api.live.test_socket import closed, watching
from tests.conftest import actor


def test_a_team_the_whole_way(people: People) -> None:
    ada, ben = people("Ada"), people("Ben")
    made = ada.ask("POST", "/teams", json={"name": "North"})
    assert made.status_code == 201
    path = made.headers["Location"].removeprefix("/api/v1")
    assert ada.ask("PUT", f"{path}/members/3", json={"is_manager": True}).status_code == 200
    assert ada.ask("PATCH", path, json={"name": "South"}).json()["name"] == "South"
    seen = ben.get(path)
    assert (seen["name"], seen["may_manage"]) == ("South", False)
    assert [(one["name"], one["is_manager"]) for one in seen["members"]] == [("Ben", True)]
    for method, where in (("PATCH", path), ("DELETE", path), ("DELETE", f"{path}/members/3")):
        refused = ben.ask(method, where, json={"name": "Mine"} if method == "PATCH" else None)
        assert (refused.status_code, "Ask an administrator" in refused.json()["detail"]) == (403, True)
    assert ada.ask("DELETE", f"{path}/members/3").json()["members"] == []
    assert ada.ask("DELETE", path).json() == {"teams": []}
    assert ada.ask("GET", path).status_code == 404


@pytest.mark.parametrize("body", [{}, {"name": 7}, {"name": "North", "team_id": 1}, {"name": "North", "members": [1]}])
def test_a_team_takes_a_name_and_nothing_else(people: People, body: dict[str, object]) -> None:
    ada = people("Ada")
    assert ada.ask("POST", "/teams", json=body).status_code == 422
    assert ada.get("/teams") == {"teams": []}


def test_who_leaves_a_team_is_off_its_sheets_at_once(live_people: People) -> None:
    dan = live_people("Dan")
    with db.transaction() as session:
        north = create_team(session, actor("Ada"), "North")
        add_member(session, actor("Ada"), north, actor("Dan").user_id)
        share_with_team(session, actor("Ann"), dan.sheet, north, level=Level.VIEWER)
    with watching(dan) as socket:
        socket.receive_json()
        began = time.monotonic()
        with db.transaction() as session:
            remove_member(session, actor("Ada"), north, actor("Dan").user_id)
        assert closed(socket) == 4404
        assert time.monotonic() - began < 5
    with pytest.raises(WebSocketDisconnect), watching(dan) as again:
        again.receive_json()
