"""The door of a public link: a page without a script, a cookie of its own, and nothing told to guessers."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from api.auth.public_link_routes import routes
from api.middleware import request_log
from api.middleware.headers import SecurityHeaders
from api.middleware.host_origin import HostOriginCheck
from api.middleware.request_log import RequestLog
from api.middleware.session_cookie import Identity
from core.base.logs import configure_logs, get_log
from core.config.settings import Settings
from core.credentials import passwords
from core.credentials.sessions import start_session
from core.sharing.public_links import create_link, revoke_link
from db.engine import transaction
from tests.conftest import actor, make_deals

ORIGIN = "http://localhost:8501"
OURS = Settings(data=Path("/nowhere"))
HTTPS = Settings(
    data=Path("/nowhere"),
    public_url="https://sales.example.com",
    allowed_hosts=("sales.example.com",),
    cookie_secure=True,
)
PASSWORD = "partners only 2026"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(passwords.hash_password.__kwdefaults__, "cost", 4)


@pytest.fixture
def sheet(database: str) -> int:
    with transaction() as session:
        return make_deals(session).sheet.sheet_id


def make(sheet: int, password: str | None = None) -> tuple[int, str]:
    with transaction() as session:
        return create_link(session, actor("Ann"), sheet, name="Partner", password=password)


async def who(request: Request) -> PlainTextResponse:
    """What is left of who asks, when the middleware has had its say."""
    return PlainTextResponse(told(request.headers))


async def who_socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(told(socket.headers))
    await socket.close()


def told(headers: object) -> str:
    names = ("x-contrivance-session", "x-contrivance-link", "x-contrivance-visit")
    return json.dumps({name.removeprefix("x-contrivance-"): headers.get(name) for name in names})  # type: ignore[attr-defined]


def browser(settings: Settings = OURS) -> TestClient:
    sockets = [WebSocketRoute(path, who_socket) for path in ("/_stcore/stream", "/api/v1/sheets/1/live")]
    layers = [Middleware(layer, settings=settings) for layer in (SecurityHeaders, HostOriginCheck, Identity)]
    everything = Route("/{path:path}", who, methods=["GET", "POST", "PATCH"])
    app = Starlette(routes=[*routes(settings), *sockets, everything], middleware=[Middleware(RequestLog), *layers])
    return TestClient(app, base_url=settings.public_url or ORIGIN, follow_redirects=False)


def test_a_link_without_a_password_leads_on_with_a_cookie_that_scripts_cannot_read(sheet: int) -> None:
    number, token = make(sheet)
    answer = browser().get(f"/l/{token}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/shared?link={number}")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"contrivance_link_{number}=")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=604800"))
    assert token not in cookie
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "strict-origin"


def test_on_https_the_cookie_belongs_to_the_host_alone(sheet: int) -> None:
    number, token = make(sheet)
    cookie = browser(HTTPS).get(f"/l/{token}").headers["set-cookie"]
    assert cookie.startswith(f"__Host-contrivance_link_{number}=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


def test_a_second_opening_needs_no_second_cookie(sheet: int) -> None:
    _, token = make(sheet)
    client = browser()
    client.get(f"/l/{token}")
    assert "contrivance_link" not in client.get(f"/l/{token}").headers.get("set-cookie", "")


def test_who_only_looks_whether_there_is_something_opens_nothing(sheet: int) -> None:
    _, token = make(sheet)
    answer = browser().head(f"/l/{token}")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag, *(f"{tag} {name}" for name, _ in attrs)]


def test_the_password_page_has_no_script_and_a_policy_of_its_own(sheet: int) -> None:
    _, token = make(sheet, PASSWORD)
    answer = browser().get(f"/l/{token}")
    assert answer.status_code == 401
    page = Elements()
    page.feed(answer.text)
    assert "script" not in page.found
    assert not [one for one in page.found if re.search(r" (on\w+|style|src|href)$", one)]
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert token not in answer.text
    assert "Deals" not in answer.text


@pytest.mark.parametrize("password", ["guessed", "", "a" * 5000, "\x00", "<script>alert(1)</script>"])
def test_a_wrong_password_opens_nothing_and_is_not_repeated(sheet: int, password: str) -> None:
    _, token = make(sheet, PASSWORD)
    answer = browser().post(f"/l/{token}", data={"password": password}, headers={"Origin": ORIGIN})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert not password or password not in answer.text


def test_the_right_password_leads_on(sheet: int) -> None:
    number, token = make(sheet, PASSWORD)
    answer = browser().post(f"/l/{token}", data={"password": PASSWORD}, headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/shared?link={number}")


def test_another_site_cannot_send_the_form(sheet: int) -> None:
    _, token = make(sheet, PASSWORD)
    for origin in ("https://evil.example.com", "null"):
        answer = browser().post(f"/l/{token}", data={"password": PASSWORD}, headers={"Origin": origin})
        assert answer.status_code == 403


def test_guesses_are_throttled_by_address_and_a_right_link_still_opens(sheet: int) -> None:
    number, token = make(sheet)
    client = browser()
    answers = [client.get(f"/l/guess-{guess}").status_code for guess in range(200)]
    assert set(answers[:20]) == {404}
    assert set(answers[20:]) == {429}
    throttled = client.get("/l/one-more", headers={"X-Forwarded-For": "203.0.113.9"})
    assert throttled.status_code == 429
    assert 0 < int(throttled.headers["retry-after"]) <= 600
    assert client.get(f"/l/{token}").headers["location"] == f"/shared?link={number}"


@pytest.fixture
def partner(sheet: int) -> tuple[TestClient, int]:
    """A browser with a link open, in which Ann is signed in as well."""
    number, token = make(sheet)
    client = browser()
    client.get(f"/l/{token}")
    with transaction() as session:
        _, cookie = start_session(session, actor("Ann").user_id, kind="browser", address=None, user_agent="")
    client.cookies.set("contrivance_session", cookie)
    return client, number


def asked(client: TestClient, path: str, **headers: str) -> dict[str, str | None]:
    found: dict[str, str | None] = client.get(path, headers={"X-Contrivance": "1", **headers}).json()
    return found


def test_a_request_that_speaks_for_a_link_speaks_for_no_person(partner: tuple[TestClient, int]) -> None:
    client, number = partner
    as_ann = asked(client, "/api/v1/sheets/1/rows")
    assert as_ann["session"]
    assert (as_ann["link"], as_ann["visit"]) == (None, None)
    for by_link in (
        asked(client, "/api/v1/sheets/1/rows", **{"X-Contrivance-Link": str(number)}),
        asked(client, f"/api/v1/sheets/1/export?link={number}"),
    ):
        assert by_link["session"] is None
        assert by_link["link"] == str(number)
        assert by_link["visit"]


@pytest.mark.parametrize("claim", ["", "0", "x", "-1", "1e3", "999", "1, 2", "9" * 40])
def test_a_claim_that_cannot_be_makes_nobody_of_the_asker(partner: tuple[TestClient, int], claim: str) -> None:
    found = asked(partner[0], "/api/v1/sheets/1/rows", **{"X-Contrivance-Link": claim})
    assert (found["session"], found["visit"]) == (None, None)
    assert found["link"] is not None


def test_two_claims_at_once_are_none(partner: tuple[TestClient, int]) -> None:
    client, number = partner
    found = asked(client, f"/api/v1/sheets/1/rows?link={number}&link=999")
    assert found == {"session": None, "link": "0", "visit": None}


def test_what_a_client_says_of_its_visits_is_thrown_away(partner: tuple[TestClient, int], sheet: int) -> None:
    client, number = partner
    visit = asked(client, f"/api/v1/sheets/1/rows?link={number}")["visit"] or ""
    stranger = browser()
    forged = {"X-Contrivance-Visit": visit, "X-Contrivance-Link": str(number)}
    assert asked(stranger, "/api/v1/sheets/1/rows", **forged)["visit"] is None
    with stranger.websocket_connect(
        "ws://localhost:8501/_stcore/stream", headers={"Origin": ORIGIN, **forged}
    ) as socket:
        assert json.loads(socket.receive_text())["visit"] is None


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.com", "X-Contrivance": "1"}]
)
def test_a_foreign_page_cannot_read_by_the_cookie_of_a_link(
    partner: tuple[TestClient, int], headers: dict[str, str]
) -> None:
    client, number = partner
    assert client.get(f"/api/v1/sheets/1/rows?link={number}", headers=headers).json()["visit"] is None


def test_sockets_know_the_visits_that_are_theirs(partner: tuple[TestClient, int], sheet: int) -> None:
    client, number = partner
    other, token = make(sheet)
    client.get(f"/l/{token}")
    with client.websocket_connect("ws://localhost:8501/_stcore/stream", headers={"Origin": ORIGIN}) as socket:
        page = json.loads(socket.receive_text())
    assert page["session"]
    assert len(page["visit"].split(",")) == 2
    for link in (number, other):
        with client.websocket_connect(
            f"ws://localhost:8501/api/v1/sheets/1/live?link={link}", headers={"Origin": ORIGIN}
        ) as socket:
            live = json.loads(socket.receive_text())
        assert live["session"] is None
        assert live["visit"] in page["visit"].split(",")


def test_the_log_has_no_token_of_a_link(
    sheet: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    number, token = make(sheet)
    configure_logs("info")
    # The line's own logger keeps the level with which it was first used, perhaps by another test.
    monkeypatch.setattr(request_log, "log", get_log("contrivance.access"))
    client = browser()
    client.get(f"/l/{token}")
    with transaction() as session:
        revoke_link(session, actor("Ann"), sheet, number)
    client.get(f"/l/{token}/more?x={token}")
    client.get(f"/l/{token}")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    logged = [line for line in lines if line["logger"] == "contrivance.access"]
    assert [line["path"] for line in logged] == ["/l/…"] * 3
    assert token not in json.dumps(logged)
