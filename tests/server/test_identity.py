"""Who is asking: only a cookie of a live session says so, and only where it may speak."""

from pathlib import Path
from uuid import UUID

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from api.middleware.oidc_return import OidcReturn
from api.middleware.session_cookie import Identity
from api.middleware.upload_limits import Uploads
from core.base.actor import Actor
from core.config.settings import Settings
from core.credentials.sessions import end_session, start_session
from db import engine as db
from db.engine import transaction
from tests.conftest import actor

ORIGIN = "http://localhost:8501"
OWN_PAGE = {"Origin": ORIGIN, "X-Contrivance": "1"}
OURS = Settings(data=Path("/nowhere"))


async def who(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.headers.get("x-contrivance-session", "nobody"))


async def who_socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(socket.headers.get("x-contrivance-session", "nobody"))
    await socket.close()


def client_of(settings: Settings = OURS) -> TestClient:
    sockets = [WebSocketRoute(path, who_socket) for path in ("/_stcore/stream", "/api/v1/live")]
    pages = Route("/{path:path}", who, methods=["GET", "POST", "PUT", "DELETE"])
    uploads = Middleware(Uploads, session_of_page=lambda page: page)  # Here a page's id is its session's.
    app = Starlette(routes=[*sockets, pages], middleware=[Middleware(Identity, settings=settings), uploads])
    return TestClient(app, base_url=ORIGIN)


@pytest.fixture
def stranger(database: str) -> TestClient:
    return client_of()


@pytest.fixture
def bens(database: str) -> tuple[UUID, str]:
    with transaction() as session:
        return start_session(session, ben().user_id, kind="browser", address=None, user_agent="")


@pytest.fixture
def client(bens: tuple[UUID, str]) -> TestClient:
    made = client_of()
    made.cookies.set("contrivance_session", bens[1])
    return made


def ben() -> Actor:
    return actor("Ben")


def said_on(client: TestClient, path: str, **headers: str) -> str:
    with client.websocket_connect(f"ws://localhost:8501{path}", headers=headers) as socket:
        return socket.receive_text()


def test_a_live_session_is_known_to_pages_and_to_our_own_calls(client: TestClient, bens: tuple[UUID, str]) -> None:
    session = str(bens[0])
    assert said_on(client, "/_stcore/stream", Origin=ORIGIN) == session
    assert said_on(client, "/api/v1/live", Origin=ORIGIN) == session
    assert client.get("/api/v1/sheets", headers={"X-Contrivance": "1"}).text == session
    assert client.post("/api/v1/sheets", headers=OWN_PAGE).text == session
    assert client.get("/api/v1/sheets/1/export", headers={"Sec-Fetch-Site": "same-origin"}).text == session


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": ORIGIN},
        {"X-Contrivance": "1"},
        {"Origin": "https://evil.example.com", "X-Contrivance": "1"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
)
def test_a_form_or_a_foreign_page_cannot_write_with_the_cookie(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/api/v1/sheets", headers=headers).text == "nobody"


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.com", "X-Contrivance": "1"}]
)
def test_nor_read_with_it(client: TestClient, headers: dict[str, str]) -> None:
    assert client.get("/api/v1/sheets", headers=headers).text == "nobody"


def test_a_socket_of_the_api_needs_our_origin_for_its_cookie(client: TestClient) -> None:
    assert said_on(client, "/api/v1/live") == "nobody"


@pytest.mark.parametrize("name", ["X-Contrivance-Session", "x-contrivance-session", "X-CONTRIVANCE-SESSION"])
def test_what_a_client_claims_to_be_is_thrown_away(stranger: TestClient, bens: tuple[UUID, str], name: str) -> None:
    forged = {name: str(bens[0])}
    assert stranger.get("/api/v1/me", headers={**forged, "X-Contrivance": "1"}).text == "nobody"
    assert said_on(stranger, "/_stcore/stream", **forged) == "nobody"


def test_with_a_cookie_a_forged_header_does_not_count_either(client: TestClient, bens: tuple[UUID, str]) -> None:
    forged = {"X-Contrivance-Session": "00000000-0000-0000-0000-000000000001", "X-Contrivance": "1"}
    assert client.get("/api/v1/me", headers=forged).text == str(bens[0])


@pytest.mark.parametrize("cookie", ["", "x", "a" * 5000, "%00", "' OR 1=1 --"])
def test_a_made_up_cookie_is_nobody(stranger: TestClient, cookie: str) -> None:
    assert said_on(stranger, "/_stcore/stream", Cookie=f"contrivance_session={cookie}") == "nobody"


def test_an_ended_session_is_nobody(bens: tuple[UUID, str]) -> None:
    with transaction() as session:
        end_session(session, ben(), bens[0])
    client = client_of()
    client.cookies.set("contrivance_session", bens[1])
    assert said_on(client, "/_stcore/stream") == "nobody"


def test_an_upload_belongs_to_the_session_that_opened_its_page_on_every_method(
    client: TestClient, stranger: TestClient, bens: tuple[UUID, str]
) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"):
        assert stranger.request(method, f"/_stcore/upload_file/{bens[0]}/b").status_code == 401
        assert client.request(method, "/_stcore/upload_file/another/b").status_code == 404
        assert client.request(method, "/_stcore/upload_file").status_code == 404
        assert client.request(method, f"/_stcore/upload_file/{bens[0]}/b").status_code in {200, 405}


def test_a_browser_that_opens_a_page_gets_a_nonce_once(stranger: TestClient) -> None:
    page = {"Accept": "text/html,*/*"}
    cookie = stranger.get("/", headers=page).headers["set-cookie"]
    assert cookie.startswith("contrivance_nonce=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "set-cookie" not in stranger.get("/", headers=page).headers
    assert "set-cookie" not in client_of().get("/api/v1/me", headers=page).headers
    assert "set-cookie" not in client_of().get("/", headers={"Accept": "application/json"}).headers


def test_on_https_the_nonce_is_bound_to_the_host() -> None:
    secure = client_of(Settings(data=Path("/nowhere"), cookie_secure=True))
    cookie = secure.get("/", headers={"Accept": "text/html"}).headers["set-cookie"]
    assert cookie.startswith("__Host-contrivance_nonce=")
    assert cookie.endswith("; Secure")


def test_while_the_database_is_away_nobody_is_taken_for_a_stranger(client: TestClient) -> None:
    gone = db.make_engine("postgresql://owner@127.0.0.1:9/sales")
    here = db.bound_engine()
    db.bind(gone)
    try:
        assert client.get("/api/v1/me", headers={"X-Contrivance": "1"}).status_code == 503
        page = client.get("/grid?sheet=1", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["refresh"]) == (503, "3")
        assert page.text == "The database does not answer. Try again in a moment."
    finally:
        db.bind(here)


def test_streamlits_own_cookies_of_identity_reach_nobody() -> None:
    seen: list[bytes] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        seen.extend(value for name, value in scope["headers"] if name == b"cookie")
        set_cookies = [
            (b"set-cookie", b"_streamlit_user=said; Path=/"),
            (b"set-cookie", b"_streamlit_xsrf=kept; Path=/"),
        ]
        await send({"type": "http.response.start", "status": 302, "headers": [*set_cookies, (b"location", b"/")]})
        await send({"type": "http.response.body", "body": b""})

    client = TestClient(OidcReturn(app, Settings(Path("/nowhere")), lambda _: None), base_url=ORIGIN)
    sent = "_streamlit_user=a; _streamlit_xsrf=b; _streamlit_user_1=c; _streamlit_user_tokens=d; other=e"
    answer = client.get("/oauth2callback", headers={"cookie": sent}, follow_redirects=False)
    assert seen == [b"_streamlit_xsrf=b; other=e"]
    assert set(answer.cookies) == {"_streamlit_xsrf", "contrivance_arrival"}
    assert answer.cookies["contrivance_arrival"] == "nobody"


def test_a_provider_that_does_not_answer_is_told_of_on_our_own_page() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 400, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"Sorry"})

    client = TestClient(OidcReturn(app, Settings(Path("/nowhere")), lambda _: None), base_url=ORIGIN)
    answer = client.get("/auth/login?provider=x", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert answer.cookies["contrivance_arrival"] == "nobody"
    assert client.get("/elsewhere").status_code == 400
