"""Who asks too often: 429 with a sentence and a time, others unaffected, health and files never counted."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.app import create_api
from api.middleware import middleware
from api.middleware.socket_limits import MAX_OPEN, MAX_OPEN_ANONYMOUS
from core.config.rate_settings import LimitName, Rate
from core.config.settings import Settings
from core.credentials.sessions import session_of_token, start_session
from core.limits.rate_limits import configure_limits
from db import engine as db
from tests.conftest import actor

ORIGIN, PARTNER = "http://localhost:8501", "https://partner.example.com"
OURS = Settings(data=Path("/nowhere"), cors_origins=(PARTNER,))
OWN_PAGE = {"X-Contrivance": "1", "Origin": ORIGIN}
ME = "/api/v1/me"


async def page(request: Request) -> PlainTextResponse:
    await request.body()
    return PlainTextResponse("a page")


async def echo_socket(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_bytes(await socket.receive_bytes())
    except WebSocketDisconnect:
        pass


@pytest.fixture
def stranger(database: str) -> Iterator[TestClient]:
    """The product's whole middleware over its API, with pages that say nothing."""
    pages = Route("/{path:path}", page, methods=["GET", "POST", "PUT", "DELETE"])
    inside = middleware(OURS, lambda _: None, create_api(), session_of_page=lambda page: page)
    app = Starlette(routes=[WebSocketRoute("/_stcore/stream", echo_socket), pages], middleware=inside)
    with TestClient(app, base_url=ORIGIN) as client:
        yield client


def cookie(name: str) -> dict[str, str]:
    """The headers of one of the cast, signed in with a browser of their own."""
    with db.transaction() as session:
        _, token = start_session(session, actor(name).user_id, kind="browser", address=None, user_agent="")
    return {"Cookie": f"contrivance_session={token}"}


def rated(kind: LimitName, amount: int, seconds: int = 600) -> None:
    configure_limits({kind: Rate(amount, seconds)})


def refused(answer: httpx.Response) -> str:
    """The sentence of a refusal, which is complete: problem details and a time."""
    body = answer.json()
    assert answer.status_code == body["status"] == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert 1 <= int(answer.headers["retry-after"]) <= 600
    return str(body["detail"])


def test_every_answer_of_the_api_tells_how_much_is_left(stranger: TestClient) -> None:
    rated("api", 3)
    ben = cookie("Ben")
    told = [stranger.get(ME, headers=ben | OWN_PAGE).headers for _ in range(4)]
    assert [one["ratelimit-limit"] for one in told] == ["3"] * 4
    assert [one["ratelimit-remaining"] for one in told] == ["2", "1", "0", "0"]
    assert all(0 < int(one["ratelimit-reset"]) <= 600 for one in told)


def test_one_who_asks_too_often_waits_and_the_others_do_not(stranger: TestClient) -> None:
    rated("api", 3)
    ben, cleo = cookie("Ben") | OWN_PAGE, cookie("Cleo") | OWN_PAGE
    assert [stranger.get(ME, headers=ben).status_code for _ in range(3)] == [200] * 3
    assert refused(stranger.get(ME, headers=ben)).startswith("Too many requests. Try again in ")
    assert stranger.get(ME, headers=cleo).status_code == 200
    assert stranger.get(ME, headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_token_has_a_limit_of_its_own_and_so_have_all_without_one(stranger: TestClient) -> None:
    rated("api", 2)
    for headers in ({"Authorization": "Bearer one"}, {"Authorization": "Bearer two"}, {}):
        assert [stranger.get(ME, headers=headers).status_code for _ in range(3)] == [401, 401, 429]


def test_made_up_tokens_and_cookies_do_not_get_past_the_address(stranger: TestClient) -> None:
    rated("address", 10)
    codes = []
    for number in range(10):
        made_up = {"Authorization": f"Bearer {uuid4()}"} if number % 2 else {"Cookie": f"contrivance_session={uuid4()}"}
        codes.append(stranger.get(ME, headers=made_up | {"X-Contrivance": "1"}).status_code)
    assert codes == [401] * 10
    answer = stranger.get(ME, headers={"Authorization": f"Bearer {uuid4()}", "X-Forwarded-For": "203.0.113.9"})
    assert refused(answer).startswith("Too many requests come from your network address.")


def test_an_office_behind_one_address_is_not_counted_as_one(stranger: TestClient) -> None:
    rated("address", 3)
    office = [cookie(name) | OWN_PAGE for name in ("Ada", "Ben", "Cleo")]
    assert {stranger.get(ME, headers=one).status_code for one in office * 5} == {200}
    assert [stranger.get(ME, headers={"Authorization": "Bearer x"}).status_code for _ in range(4)] == [401] * 3 + [429]
    assert refused(stranger.get(ME, headers=office[0])).startswith("Too many requests come from your network address.")


def test_a_socket_counts_for_its_address_whatever_it_brings(stranger: TestClient) -> None:
    rated("address", 2)
    live = "ws://localhost:8501/api/v1/sheets/1/live"
    for _ in range(2):
        with stranger.websocket_connect(live, headers={"Origin": ORIGIN} | cookie("Ben")):
            pass
    with (
        pytest.raises(WebSocketDenialResponse) as denied,
        stranger.websocket_connect(live, headers={"Origin": ORIGIN} | cookie("Ben")),
    ):
        pass
    assert denied.value.status_code == 429


def test_nobody_is_looked_up_for_one_who_asks_too_often(stranger: TestClient) -> None:
    rated("address", 1)
    here, gone = db.bound_engine(), db.make_engine("postgresql://owner@127.0.0.1:9/sales")
    db.bind(gone)
    try:
        codes = [stranger.get(ME, headers=OWN_PAGE | {"Cookie": "contrivance_session=x"}).status_code for _ in range(2)]
    finally:
        db.bind(here)
    assert codes == [503, 429]


@pytest.mark.parametrize(
    "path",
    ["/api/health/live", "/api/health/ready", "/_stcore/health", "/static/x.js", "/assets/grid/x.js", "/media/x"],
)
def test_health_and_files_are_never_counted(stranger: TestClient, path: str) -> None:
    configure_limits({"address": Rate(1, 600), "api": Rate(1, 600)})
    for _ in range(3):
        answer = stranger.get(path)
        assert answer.status_code == 200
        assert "ratelimit-limit" not in answer.headers
    assert [stranger.get(ME).status_code for _ in range(2)] == [401, 429]
    assert stranger.get(path).status_code == 200


def test_a_page_that_is_asked_for_too_often_comes_by_itself(stranger: TestClient) -> None:
    rated("address", 1)
    page = {"Accept": "text/html"}
    assert stranger.get("/grid", headers=page).status_code == 200
    answer = stranger.get("/grid", headers=page)
    assert answer.status_code == 429
    assert answer.headers["refresh"] == answer.headers["retry-after"]
    assert answer.text.startswith("Too many requests come from your network address.")


def test_signing_in_and_out_is_counted_too(stranger: TestClient) -> None:
    rated("address", 1)
    stranger.post("/session/redeem", headers={"Origin": ORIGIN}, json={"ticket": "x"})
    assert "network address" in refused(stranger.post("/session/sign-out", headers={"Origin": ORIGIN}, json={}))


def test_without_limits_nothing_is_refused_and_nothing_told(stranger: TestClient) -> None:
    configure_limits({})
    answers = [stranger.get(ME) for _ in range(50)]
    assert {answer.status_code for answer in answers} == {401}
    assert "ratelimit-limit" not in answers[-1].headers


# Other origins.


def preflight(client: TestClient, origin: str, path: str = ME) -> httpx.Response:
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization,content-type"}
    return client.options(path, headers={"Origin": origin} | asked)


def test_a_configured_origin_may_ask_and_read_refusals_too(stranger: TestClient) -> None:
    rated("api", 1)
    allowed = preflight(stranger, PARTNER)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == PARTNER
    for status in (401, 429):
        answer = stranger.get(ME, headers={"Origin": PARTNER})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == PARTNER
        assert "Retry-After" in answer.headers["access-control-expose-headers"]


def test_no_other_origin_may_and_nothing_else_is_open_to_one(stranger: TestClient) -> None:
    for answer in (
        preflight(stranger, "https://evil.example.com"),
        preflight(stranger, "https://partner.example.com.evil.example.com"),
        preflight(stranger, "null"),
        stranger.get(ME, headers={"Origin": "https://evil.example.com"}),
        stranger.get("/", headers={"Origin": PARTNER, "Accept": "text/html"}),
        stranger.get("/apiary", headers={"Origin": PARTNER}),
        preflight(stranger, PARTNER, "/session/redeem"),
    ):
        assert "access-control-allow-origin" not in answer.headers


def test_another_origin_never_speaks_with_a_cookie(stranger: TestClient) -> None:
    for answer in (
        preflight(stranger, PARTNER),
        stranger.get(ME, headers=cookie("Ben") | {"Origin": PARTNER, "X-Contrivance": "1"}),
    ):
        assert "access-control-allow-credentials" not in answer.headers
        assert answer.headers["access-control-allow-origin"] != "*"
    assert answer.status_code == 401


# Sockets.


def page_socket(client: TestClient, **headers: str) -> object:
    return client.websocket_connect("ws://localhost:8501/_stcore/stream", headers={"Origin": ORIGIN} | headers)


@pytest.mark.parametrize(("name", "most"), [("Ben", MAX_OPEN), ("", MAX_OPEN_ANONYMOUS)])
def test_nobody_holds_more_than_so_many_sockets(stranger: TestClient, name: str, most: int) -> None:
    own = cookie(name) if name else {}
    with ExitStack() as open_sockets:
        for _ in range(most):
            open_sockets.enter_context(page_socket(stranger, **own))  # type: ignore[arg-type]
        with pytest.raises(WebSocketDenialResponse) as denied, page_socket(stranger, **own):  # type: ignore[attr-defined]
            pass
        assert denied.value.status_code == 429
        assert denied.value.headers["retry-after"]
        with page_socket(stranger, **cookie("Cleo")) as another:  # type: ignore[attr-defined]
            another.send_bytes(b"x")
            assert another.receive_bytes() == b"x"
    with page_socket(stranger, **own) as later:  # type: ignore[attr-defined]
        later.send_bytes(b"x")
        assert later.receive_bytes() == b"x"


def test_the_messages_of_one_person_are_counted_over_all_their_sockets(stranger: TestClient) -> None:
    rated("message", 6)
    ben, cleo = cookie("Ben"), cookie("Cleo")
    with page_socket(stranger, **ben) as first, page_socket(stranger, **ben) as second:  # type: ignore[attr-defined]
        for socket in (first, second):
            for _ in range(3):
                socket.send_bytes(b"x")
                assert socket.receive_bytes() == b"x"
        second.send_bytes(b"x")
        with pytest.raises(WebSocketDisconnect) as closed:
            second.receive_bytes()
        assert closed.value.code == 1008
        with page_socket(stranger, **cleo) as another:  # type: ignore[attr-defined]
            another.send_bytes(b"x")
            assert another.receive_bytes() == b"x"


def test_a_socket_is_refused_where_its_address_asks_too_often(stranger: TestClient) -> None:
    rated("address", 1)
    with page_socket(stranger) as socket:  # type: ignore[attr-defined]
        socket.send_bytes(b"x")
        assert socket.receive_bytes() == b"x"
    with pytest.raises(WebSocketDenialResponse) as denied, page_socket(stranger):  # type: ignore[attr-defined]
        pass
    assert denied.value.status_code == 429


# Uploads.


def upload(client: TestClient, megabytes: float, headers: dict[str, str]) -> httpx.Response:
    content = b"x" * int(megabytes * 2**20)
    return client.put(page_of(headers), headers=headers | {"Origin": ORIGIN}, content=content)


def page_of(headers: dict[str, str]) -> str:
    """Where the browser with this cookie uploads; here the id of its page is that of its session."""
    with db.transaction() as session:
        found = session_of_token(session, headers.get("Cookie", "").partition("=")[2])
    return f"/_stcore/upload_file/{found.session_id if found else 'a'}/b"


def test_what_one_person_uploads_is_bounded(stranger: TestClient) -> None:
    rated("upload", 10)
    ben = cookie("Ben")
    assert [upload(stranger, 3.5, ben).status_code for _ in range(3)] == [200, 200, 429]
    assert upload(stranger, 3.5, ben).text.startswith("You have reached the upload limit. Try again in ")
    assert upload(stranger, 1.5, ben).status_code == 200
    assert upload(stranger, 3.5, cookie("Cleo")).status_code == 200
    assert stranger.delete(page_of(ben), headers=ben).status_code == 200


def test_an_upload_without_a_session_or_a_length_is_refused_unread(stranger: TestClient) -> None:
    assert upload(stranger, 1, {}).status_code == 401
    chunks = iter([b"x" * 1000])
    ben = cookie("Ben")
    answer = stranger.put(page_of(ben), headers=ben | {"Origin": ORIGIN}, content=chunks)
    assert answer.status_code == 411
