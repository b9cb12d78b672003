"""Limits of sockets: their number, the size of a frame, the rate of messages, and the allowed kinds of messages."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware.asgi import header, is_under, person_of, refuse
from core.limits import rate_limits
from core.limits.login_throttle import normalize_address

MAX_FRAME_BYTES = 2 * 2**20
BURST, PACE = 200, 20  # So many messages at once, then so many a second. A person at work sends a handful.
# Open at once, of one person or token, and of all strangers at one address: a tab has two, a stranger signs in soon.
MAX_OPEN, MAX_OPEN_ANONYMOUS = 100, 100
PAGE_SOCKET = "/_stcore/stream"
TOO_MANY, AGAIN_SECONDS = "Too many live connections are open. Close some.", 10
KindOf = Callable[[bytes], str | None]  # What kind of message a page's socket brings, None where it cannot be read.
# What a page needs. All else (emptying caches that all share, stopping the server, installing things) is dropped.
ALLOWED = {
    "rerun_script",
    "stop_script",
    "app_heartbeat",
    "file_urls_request",
    "deferred_file",
    "dataframe_chunk",
}


class SocketLimits:
    """Closes a socket that sends too much or too fast, and drops forbidden messages of a page's socket."""

    def __init__(self, app: ASGIApp, kind_of: KindOf) -> None:
        self.app = app
        self.kind_of = kind_of
        self.open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        owner, limit = _owner(scope)
        if self.open[owner] >= limit:
            await refuse(
                scope, receive, send, 429, "Too many live connections are open. Close some.", wait=AGAIN_SECONDS
            )
            return
        limited = _Limited(receive, send, owner, self.kind_of if is_under(scope["path"], [PAGE_SOCKET]) else None)
        with self._counted(owner):
            await self.app(scope, limited.receive, limited.send)

    @contextmanager
    def _counted(self, owner: str) -> Iterator[None]:
        self.open[owner] += 1
        try:
            yield
        finally:
            self.open[owner] -= 1
            if not self.open[owner]:
                del self.open[owner]


def _owner(scope: Scope) -> tuple[str, int]:
    """The key under which the socket counts, and the limit of that key."""
    if person := person_of(scope):
        return f"person {person}", MAX_OPEN
    if token := header(scope, b"authorization"):
        return f"token {hash(token)}", MAX_OPEN
    return f"address {normalize_address(scope['client'][0] if scope.get('client') else None)}", MAX_OPEN_ANONYMOUS


class _Limited:
    """One socket. Over a limit it is closed, and the application receives a disconnect."""

    def __init__(self, receive: Receive, send: Send, owner: str, kind_of: KindOf | None) -> None:
        self._receive = receive
        self._send = send
        self._owner = owner
        self._kind_of = kind_of
        self._tokens, self._filled = float(BURST), time.monotonic()
        self._closed = False

    async def receive(self) -> Message:
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return message
            frame = message.get("bytes") or (message.get("text") or "").encode()
            if len(frame) > MAX_FRAME_BYTES:
                return await self._close(1009, "This message is too long.")
            if not (self._take() and rate_limits.hit("message", self._owner)):
                return await self._close(1008, "Too many messages.")
            if self._is_taken(frame):
                return message

    async def send(self, message: Message) -> None:
        """What is still on its way to a socket that we closed is dropped."""
        if not self._closed:
            await self._send(message)

    def _is_taken(self, frame: bytes) -> bool:
        kind = self._kind_of(frame) if self._kind_of else None
        return kind is None or kind in ALLOWED

    def _take(self) -> bool:
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._filled) * PACE)
        self._filled = now
        self._tokens -= 1
        return self._tokens >= 0

    async def _close(self, code: int, reason: str) -> Message:
        await self.send({"type": "websocket.close", "code": code, "reason": reason})
        self._closed = True
        return {"type": "websocket.disconnect", "code": code}
