"""Limits of sockets: their number, the size of a frame, the rate of messages, and the allowed kinds of messages."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware.asgi import header, is_under, refuse, user_id_of
from core.limits import rate_limits
from core.limits.login_throttle import normalize_address

MAX_FRAME_BYTES = 2 * 2**20
BURST, PER_SECOND = 200, 20  # Messages at once, then per second. A user at work sends a few.
# Open sockets of one user or token, and of all anonymous clients of one address. A browser tab has two.
MAX_OPEN, MAX_OPEN_ANONYMOUS = 100, 100
PAGE_SOCKET = "/_stcore/stream"
RETRY_SECONDS = 10
KindOf = Callable[[bytes], str | None]  # Returns the kind of a message of a page's socket; None for an unreadable one.
# The kinds that a page needs. Others (clearing shared caches, stopping the server, installing packages) are dropped.
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
                scope, receive, send, 429, "Too many live connections are open. Close some.", wait=RETRY_SECONDS
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
    if user_id := user_id_of(scope):
        return f"user {user_id}", MAX_OPEN
    if token := header(scope, b"authorization"):
        return f"token {hash(token)}", MAX_OPEN
    return f"address {normalize_address(scope['client'][0] if scope.get('client') else None)}", MAX_OPEN_ANONYMOUS


class _Limited:
    """The limits of one socket. Over a limit it is closed, and the application receives a disconnect."""

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
            if not (self._take_token() and rate_limits.hit("message", self._owner)):
                return await self._close(1008, "Too many messages.")
            if self._is_allowed(frame):
                return message

    async def send(self, message: Message) -> None:
        """Send a message, or drop it if the socket has been closed here."""
        if not self._closed:
            await self._send(message)

    def _is_allowed(self, frame: bytes) -> bool:
        kind = self._kind_of(frame) if self._kind_of else None
        return kind is None or kind in ALLOWED

    def _take_token(self) -> bool:
        """Take a token of the bucket; False if it is empty."""
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._filled) * PER_SECOND)
        self._filled = now
        self._tokens -= 1
        return self._tokens >= 0

    async def _close(self, code: int, reason: str) -> Message:
        await self.send({"type": "websocket.close", "code": code, "reason": reason})
        self._closed = True
        return {"type": "websocket.disconnect", "code": code}
