"""Limits of connections: their number, and how long a client may take to send its request and read the response.

A client that sends its request slowly, or not at all, holds a file descriptor. So there are as many connections as
descriptors, less a reserve. At the limit, a new one replaces the one that has waited longest for its request.
"""

import asyncio
import resource
import time
from enum import Enum
from functools import partial
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_SECONDS, HEAD_BYTES = 10.0, 2**16
BODY_SECONDS, BODY_PACE = 20.0, 4096  # A body may take this long, and longer while this many bytes a second arrive.
# A client that reads nothing is dropped after READ_SECONDS, and can be replaced after STALLED_SECONDS.
READ_SECONDS, STALLED_SECONDS = 30.0, 5.0
MAX_CONNECTIONS = 10_000
RESERVE = 160  # Descriptors for the database, files, sockets to other servers and the programs that we start.
FOR_HEALTH = 24  # Connections beyond the limit, which get health checks and nothing else.
HEALTH = ("/api/health", "/_stcore/health")
SWEEP_SECONDS = 1.0


def raise_descriptors() -> int:
    """Raise the limit of open files as far as the system allows. Return how many connections that allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = MAX_CONNECTIONS + RESERVE + FOR_HEALTH
    reachable = target if hard == resource.RLIM_INFINITY else min(target, hard)
    if soft != resource.RLIM_INFINITY and soft < reachable:
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
        soft = reachable
    limit = target if soft == resource.RLIM_INFINITY else soft
    return max(min(MAX_CONNECTIONS, limit - RESERVE - FOR_HEALTH), FOR_HEALTH)


class Phase(Enum):
    """What a connection waits for."""

    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"
    GONE = "gone"


class ConnectionLimiter:
    """Limits the number of connections of one server, and ends those that take too long."""

    def __init__(self, max_connections: int) -> None:
        self.max_connections = max_connections
        self._sweeping: asyncio.TimerHandle | None = None
        self._warned_at = -60.0

    def admit(self, new: "Connection") -> None:
        """Make room for a new connection if the limit is reached."""
        self._sweeping = self._sweeping or new.loop.call_later(SWEEP_SECONDS, self._sweep, new)
        if len(new.connections) <= self.max_connections:
            return
        self._warn(time.monotonic())
        if slowest := self._slowest(new):
            slowest.drop()
        elif len(new.connections) <= self.max_connections + FOR_HEALTH:
            new.only_health = True
        else:
            new.drop()

    def _slowest(self, new: "Connection") -> "Connection | None":
        """The slowest connection whose request is incomplete: those without a head first, then by bytes a second."""
        waiting = (
            connection
            for connection in new.connections
            if isinstance(connection, Connection) and connection is not new and connection.is_waiting
        )
        return min(waiting, key=Connection.pace, default=None)

    def _sweep(self, any_connection: "Connection") -> None:
        now = time.monotonic()
        for connection in [*any_connection.connections]:
            if isinstance(connection, Connection):
                connection.end_if_slow(now)
        loop, has_more = any_connection.loop, bool(any_connection.connections)
        self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep, any_connection) if has_more else None

    def _warn(self, now: float) -> None:
        """Log the full server at most once a minute."""
        if now >= self._warned_at + 60:
            self._warned_at = now
            structlog.get_logger("contrivance").warning("connections.full", most=self.max_connections)


class Connection(HttpToolsProtocol):
    """A uvicorn connection that tracks how much of its request has arrived."""

    def __init__(self, *args: Any, limiter: ConnectionLimiter, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.limiter = limiter
        self.phase = Phase.HEAD
        self.since = time.monotonic()
        self.received = 0  # Bytes of this phase.
        self.unread, self.unread_since = 0, 0.0  # Bytes of the response that the client has not read.
        self.only_health = False

    @property
    def is_waiting(self) -> bool:
        """Whether the server waits for this connection's client."""
        if self.transport.get_write_buffer_size():
            return bool(self.unread) and time.monotonic() > self.unread_since + STALLED_SECONDS
        return self.phase is Phase.HEAD or (self.phase is Phase.BODY and not self.flow.read_paused)

    def pace(self) -> tuple[bool, float]:
        """The sort key for replacing a connection: the smallest goes first."""
        if self.phase is Phase.BODY:
            return True, self.received / max(time.monotonic() - self.since, 1.0)
        return False, self.since

    def drop(self) -> None:
        """End the connection at once. Its descriptor is free in the next iteration of the loop."""
        self.phase = Phase.GONE
        self.connections.discard(self)
        self.transport.abort()

    def end_if_slow(self, now: float) -> None:
        """End the connection if its client takes too long."""
        if self.phase is Phase.HEAD and now > self.since + HEAD_SECONDS:
            self._refuse(408, b"The request did not arrive in time.")
        elif self.phase is Phase.BODY:
            if self.flow.read_paused:
                self.since = now - min(now - self.since, BODY_SECONDS / 2)  # The client waits for us.
            elif now > self.since + BODY_SECONDS + self.received / BODY_PACE:
                self._refuse(408, b"The request did not arrive in time.")
        unread = self.transport.get_write_buffer_size()
        if not unread or unread != self.unread:
            self.unread, self.unread_since = unread, now
        elif now > self.unread_since + READ_SECONDS:
            self.drop()

    def _refuse(self, status: int, reason: bytes) -> None:
        """Close the connection; send the reason, unless no request or already a response has started."""
        answering = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not answering and (self.received or self.phase is Phase.BODY):
            head = b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            self.transport.write(STATUS_LINE[status] + head % len(reason) + reason)
        self.phase = Phase.GONE
        self.transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.limiter.admit(self)

    def data_received(self, data: bytes) -> None:
        if self.phase is Phase.GONE:
            return
        self.received += len(data) if self.phase is Phase.HEAD else 0
        super().data_received(data)
        if self.phase is Phase.HEAD and self.received > HEAD_BYTES:
            self._refuse(431, b"The head of the request is too long.")

    def on_headers_complete(self) -> None:
        if self.only_health:
            self.app = partial(_only_health, self.app)
        super().on_headers_complete()
        self._begin(Phase.BODY)

    def on_body(self, body: bytes) -> None:
        self.received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._begin(Phase.HEAD if self.cycle is not None and self.cycle.response_complete else Phase.ANSWER)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.phase is Phase.ANSWER and self.cycle.response_complete:
            self._begin(Phase.HEAD)

    def _begin(self, phase: Phase) -> None:
        if self.phase is not Phase.GONE:
            self.phase, self.since, self.received = phase, time.monotonic(), 0


async def _only_health(app: Any, scope: Any, receive: Any, send: Any) -> None:
    """Serve health checks, and refuse other requests with 503."""
    if scope["path"].startswith(HEALTH):
        await app(scope, receive, send)
        return
    reason = b"The server has too many connections. Try again in a moment."
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(reason))]
    headers += [(b"retry-after", b"5"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": reason})
