"""One log line for each request, with an id that the response also has; without query, body and cookies."""

import re
import time
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware.asgi import header
from core.base.logs import get_log

# These paths contain a public link's token, the ids of an open page and its file, or the name of a generated file.
SECRET = re.compile(r"^(/l/|/_stcore/upload_file/|/media/).*", re.DOTALL)
ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
QUIET = ("/static/", "/assets/", "/_stcore/health", "/_stcore/host-config", "/api/health/", "/media/", "/favicon")
log = get_log("contrivance.access")


class RequestLog:
    """Gives every request an id (or keeps the proxy's) and logs its outcome."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        proxy_id = header(scope, b"x-request-id")
        request_id = proxy_id if ID.fullmatch(proxy_id) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id)
        entry = _Entry(scope, send, request_id)
        try:
            await self.app(scope, receive, entry.send)
        finally:
            entry.write()


class _Entry:
    """The log line of one request, completed while the request is answered."""

    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self.scope = scope
        self.forward = send
        self.request_id = request_id
        self.status = 0
        self.started_at = time.monotonic()

    async def send(self, message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.http.response.start"}:
            self.status = message["status"]
            message["headers"] = [*message.get("headers", []), (b"x-request-id", self.request_id.encode())]
        elif message["type"] == "websocket.close":
            self.status = message.get("code", 1000)
        await self.forward(message)

    def write(self) -> None:
        is_quiet = self.status < 400 and self.scope["path"].startswith(QUIET)
        client = self.scope.get("client")
        (log.debug if is_quiet else log.info)(
            self.scope["type"],
            method=self.scope.get("method", "SOCKET"),
            path=SECRET.sub(r"\1…", self.scope["path"]),
            status=self.status,
            ms=round((time.monotonic() - self.started_at) * 1000, 1),
            address=client[0] if client else "",
        )
