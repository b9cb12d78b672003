"""The doors: hosts, origins, closed paths, headers, frames and pace, as an attacker would try them."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.middleware.headers import SecurityHeaders, content_security_policy
from api.middleware.host_origin import HostOriginCheck, host_name
from api.middleware.request_log import RequestLog
from api.middleware.socket_limits import BURST, MAX_FRAME_BYTES, SocketLimits
from core.config.settings import Settings

OURS = Settings(
    data=Path("/nowhere"),
    public_url="https://sales.example.com",
    allowed_hosts=("localhost", "127.0.0.1", "::1", "sales.example.com"),
    cors_origins=("https://partner.example.com",),
)


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.url.path)


async def echo_socket(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_bytes(await socket.receive_bytes())
    except WebSocketDisconnect:
        pass


def kind_of(frame: bytes) -> str | None:
    """As the frame says itself; one of x cannot be read."""
    return None if frame.startswith(b"x") else frame.decode(errors="replace")


@pytest.fixture
def client() -> TestClient:
    app = Starlette(
        routes=[
            WebSocketRoute("/_stcore/stream", echo_socket),
            WebSocketRoute("/api/v1/live", echo_socket),
            Route("/{path:path}", echo, methods=["GET", "POST", "PUT", "DELETE"]),
        ],
        middleware=[
            Middleware(RequestLog),
            Middleware(SecurityHeaders, settings=OURS),
            Middleware(HostOriginCheck, settings=OURS),
            Middleware(SocketLimits, kind_of=kind_of),
        ],
    )
    return TestClient(app, base_url="http://localhost:8501")


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "SALES.example.com", "sales.example.com."]
)
def test_our_own_host_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example.com", "", "localhost.evil.example.com", "evil@localhost", "localhost:port", "localhost/x", "a b"],
)
def test_other_host_names_are_not(client: TestClient, host: str) -> None:
    """A foreign name that resolves to this machine must not reach it (DNS rebinding)."""
    assert client.get("/", headers={"Host": host}).status_code == 421


def test_a_malformed_host_has_no_name() -> None:
    assert host_name("localhost:99999999") == ""
    assert host_name("[::1") == ""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/session/redeem", "/api/v1/sheets", "/_stcore/upload_file/a/b"])
def test_a_request_of_another_site_changes_nothing(client: TestClient, method: str, path: str) -> None:
    refused = client.request(method, path, headers={"Origin": "https://evil.example.com"})
    assert refused.status_code == 403
    assert client.request(method, path, headers={"Origin": "null"}).status_code == 403
    assert client.request(method, path, headers={"Origin": "http://localhost:8501"}).status_code == 200
    assert client.request(method, path, headers={"Origin": OURS.public_url}).status_code == 200


def test_a_configured_origin_may_call_the_api_and_nothing_else(client: TestClient) -> None:
    partner = {"Origin": "https://partner.example.com"}
    assert client.post("/api/v1/sheets", headers=partner).status_code == 200
    assert client.post("/session/redeem", headers=partner).status_code == 403
    assert client.post("/apiary", headers=partner).status_code == 403


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example.com"}, {"Host": "evil.example.com"}])
@pytest.mark.parametrize("path", ["/_stcore/stream", "/api/v1/live"])
def test_a_socket_with_a_foreign_origin_or_host_is_refused(
    client: TestClient, headers: dict[str, str], path: str
) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(f"ws://localhost:8501{path}", headers=headers):
        pass


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/metrics/",
        "/_stcore/agent/openapi.json",
        "/_stcore/agent/mcp",
        "/_stcore/script-health-check",
        "/auth/login",
        "/oauth2callback",
        "/app/static/x",
    ],
)
def test_closed_doors_look_like_walls(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_open_paths_stay_open(client: TestClient) -> None:
    for path in ("/", "/_stcore/health", "/_stcore/host-config", "/authors", "/api/v1/auth/login"):
        assert client.get(path).status_code == 200


def test_every_answer_carries_the_security_headers_refusals_too(client: TestClient) -> None:
    for answer in (client.get("/"), client.get("/_stcore/metrics"), client.get("/", headers={"Host": "evil"})):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "script-src 'self' blob: 'sha256-" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_policy_names_no_foreign_host() -> None:
    sources = set(content_security_policy().replace(";", "").split())
    assert not [one for one in sources if "*" in one or "." in one or "//" in one or one in {"http:", "https:", "ws:"}]


def test_a_request_keeps_a_sensible_id_and_gets_a_new_one_otherwise(client: TestClient) -> None:
    assert client.get("/", headers={"X-Request-ID": "from-the-proxy-1"}).headers["x-request-id"] == "from-the-proxy-1"
    for bad in ("x", "a" * 65, "two words are no id", 'quo"te' * 3):
        assert client.get("/", headers={"X-Request-ID": bad}).headers["x-request-id"] != bad


def test_refusals_to_programs_are_problem_details(client: TestClient) -> None:
    refused = client.post("/api/v1/sheets", headers={"Origin": "https://evil.example.com"})
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["status"] == 403


@pytest.mark.parametrize(("https", "ends"), [(True, "; Secure"), (False, "SameSite=lax")])
def test_every_cookie_is_secure_under_https_whoever_set_it(https: bool, ends: str) -> None:
    async def cookies(_request: Request) -> PlainTextResponse:
        answer = PlainTextResponse("")
        answer.set_cookie("_streamlit_xsrf", "secure")  # Streamlit does not know that a proxy speaks https for it.
        answer.set_cookie("ours", "x", secure=https)
        return answer

    async def greeting(socket: WebSocket) -> None:
        await socket.accept(headers=[(b"set-cookie", b"one=x; SameSite=lax")])
        await socket.close()

    app = Starlette(
        routes=[Route("/", cookies), WebSocketRoute("/socket", greeting)],
        middleware=[Middleware(SecurityHeaders, settings=replace(OURS, cookie_secure=https))],
    )
    client = TestClient(app)
    told = client.get("/").headers.get_list("set-cookie")
    with client.websocket_connect("/socket") as socket:
        told += [value.decode() for name, value in socket.extra_headers or [] if name == b"set-cookie"]
    assert len(told) == 3
    assert [cookie for cookie in told if not cookie.endswith(ends) or cookie.count("; Secure") != https] == []


def test_a_socket_takes_frames_up_to_its_limit(client: TestClient) -> None:
    with client.websocket_connect("ws://localhost:8501/_stcore/stream") as socket:
        socket.send_bytes(b"x" * MAX_FRAME_BYTES)
        assert len(socket.receive_bytes()) == MAX_FRAME_BYTES
        socket.send_bytes(b"x" * (MAX_FRAME_BYTES + 1))
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_bytes()
    assert closed.value.code == 1009


@pytest.mark.parametrize(
    "kind",
    [
        *("clear_cache", "debug_shutdown_runtime", "debug_disconnect_websocket", "load_git_info", "set_run_on_save"),
        *("install_skills", "dismiss_skills_nudge", "None", "what_nobody_knows_yet"),
    ],
)
def test_forbidden_messages_are_dropped_and_the_page_goes_on(client: TestClient, kind: str) -> None:
    with client.websocket_connect("ws://localhost:8501/_stcore/stream") as socket:
        socket.send_bytes(kind.encode())
        socket.send_bytes(b"rerun_script")
        assert socket.receive_bytes() == b"rerun_script"


def test_only_a_pages_socket_is_read(client: TestClient) -> None:
    with client.websocket_connect("ws://localhost:8501/api/v1/live") as socket:
        socket.send_bytes(b"clear_cache")
        assert socket.receive_bytes() == b"clear_cache"


def test_a_flood_of_messages_closes_the_socket() -> None:
    """Told to the middleware itself: the test client would wait for every answer."""
    sent: list[dict[str, Any]] = []
    taken = 0

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.receive", "bytes": b"rerun_script"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def reader(_scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        nonlocal taken
        while (await receive())["type"] == "websocket.receive":
            taken += 1
        await send({"type": "websocket.send", "text": "too late"})

    asyncio.run(
        SocketLimits(reader, kind_of)({"type": "websocket", "path": "/_stcore/stream", "headers": []}, receive, send)
    )
    assert BURST <= taken < BURST * 2
    assert [message["type"] for message in sent] == ["websocket.close"]
    assert sent[0]["code"] == 1008
