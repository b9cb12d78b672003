"""Start and stop the server: take the port, start the database during the imports, serve, and clean up."""

import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from core.config.settings import InvalidSetting, Settings, settings
from db.embedded.server import Urls, embedded
from db.embedded.waiting import DatabaseUnavailable

if TYPE_CHECKING:
    from streamlit.web.server.starlette import App

SHUTDOWN_SECONDS = 5
stop_requested = Event()


def main() -> int:
    """Serve until Ctrl+C or SIGTERM. Return 0 after such an end, and 1 where the server cannot start."""
    gc.disable()  # Imports take half of the start and leave no garbage. The application enables it.
    handle_signals()
    try:
        config = settings()
        with listening(config.host, config.port) as listener, starting(config) as urls:
            import app  # noqa: PLC0415 the database starts during this import

            if stop_requested.is_set():
                raise KeyboardInterrupt
            with app.using(urls.result()):
                run(app.app, listener)
    except KeyboardInterrupt:
        return 0
    except (DatabaseUnavailable, InvalidSetting) as error:
        sys.stderr.write(f"Contrivance does not start. {error}\n")
        return 1
    return 0


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Take the port first, so that a second start on it fails at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(2048)
        except OSError as error:
            raise InvalidSetting(
                f"Port {port} on {host} cannot be used ({error.strerror}): is another server running there? "
                f"Choose another port with PORT={port + 1}."
            ) from error
        listener.setblocking(False)
        yield listener


@contextmanager
def starting(config: Settings) -> Iterator[Future[Urls]]:
    """Start the database and yield its future addresses. An embedded database stops with the block."""
    urls: Future[Urls] = Future()
    if not config.embedded:
        urls.set_result(Urls(owner=config.database_url, app=config.app_database_url or config.database_url))
        yield urls
        return
    leaving = Event()
    server = embedded(config.data, leaving)
    with ThreadPoolExecutor(1, thread_name_prefix="database") as executor:
        urls = executor.submit(server.__enter__)
        try:
            yield urls
        finally:
            ignore_signals()
            leaving.set()
            if urls.exception() is None:
                server.__exit__(None, None, None)


def run(app: "App", listener: socket.socket) -> None:
    """Serve requests in this thread. Forwarded addresses count only from proxies that FORWARDED_ALLOW_IPS names."""
    import uvicorn  # noqa: PLC0415 as above

    from api.http.connections import Connection, ConnectionLimiter, raise_descriptors  # noqa: PLC0415 as above
    from api.middleware.socket_limits import MAX_FRAME_BYTES  # noqa: PLC0415 as above

    config = uvicorn.Config(
        app,
        http=partial(Connection, limiter=ConnectionLimiter(raise_descriptors())),  # type: ignore[arg-type]  # uvicorn only calls it.
        log_config=None,
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME_BYTES + 1024,
        # A browser that disappears is noticed after this many seconds, which presence relies on.
        ws_ping_interval=5,
        ws_ping_timeout=8,
        forwarded_allow_ips=os.environ.get("FORWARDED_ALLOW_IPS") or "nobody",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


def handle_signals() -> None:
    """Have a closed terminal and SIGTERM stop the server as Ctrl+C does, also while it is starting."""
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGINT))


def end(*_: object) -> None:
    """Request the end. The event keeps it, because an exception that is raised during an import may be lost."""
    stop_requested.set()
    raise KeyboardInterrupt


def ignore_signals() -> None:
    """Ignore further signals: a second Ctrl+C must not leave the database running."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
