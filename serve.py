"""The start and the end: take the port, start the database beside the imports, serve, and leave nothing behind."""

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
ending = Event()  # Whether the end was asked for.


def main() -> int:
    """Serve until Ctrl+C or SIGTERM; the exit code says whether that was the end that was asked for."""
    gc.disable()  # Half of a start is imports, and nothing that they make is garbage. The application turns it on.
    handle_signals()
    try:
        ours = settings()
        with listening(ours.host, ours.port) as listener, starting(ours) as urls:
            import app  # noqa: PLC0415 the database starts meanwhile

            if ending.is_set():
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
    """Take the port before anything else, so that a second start on it ends at once."""
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
def starting(ours: Settings) -> Iterator[Future[Urls]]:
    """The database: where it is, as soon as it answers. The embedded one ends with the block, however that ends."""
    there: Future[Urls] = Future()
    if not ours.embedded:
        there.set_result(Urls(owner=ours.database_url, app=ours.app_database_url or ours.database_url))
        yield there
        return
    leaving = Event()
    server = embedded(ours.data, leaving)
    with ThreadPoolExecutor(1, thread_name_prefix="database") as beside:
        there = beside.submit(server.__enter__)
        try:
            yield there
        finally:
            ignore_signals()
            leaving.set()
            if there.exception() is None:
                server.__exit__(None, None, None)


def run(app: "App", listener: socket.socket) -> None:
    """Answer requests in this thread. Forwarded addresses count only from proxies that FORWARDED_ALLOW_IPS names."""
    import uvicorn  # noqa: PLC0415 as above

    from api.http.connections import Connection, Door, raise_descriptors  # noqa: PLC0415 as above
    from api.middleware.socket_limits import LARGEST_FRAME  # noqa: PLC0415 as above

    config = uvicorn.Config(
        app,
        http=partial(Connection, door=Door(raise_descriptors())),  # type: ignore[arg-type]  # It is called, no more.
        log_config=None,
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME + 1024,
        # A browser that is gone without a word is known to be gone in so many seconds: presence counts on it.
        ws_ping_interval=5,
        ws_ping_timeout=8,
        forwarded_allow_ips=os.environ.get("FORWARDED_ALLOW_IPS") or "nobody",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


def handle_signals() -> None:
    """A closed terminal and SIGTERM end the server as Ctrl+C does, also while it is still starting."""
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGINT))


def end(*_: object) -> None:
    """What Ctrl+C does. It is remembered, because an exception that is raised amid an import may be lost."""
    ending.set()
    raise KeyboardInterrupt


def ignore_signals() -> None:
    """The end has begun: a second Ctrl+C must not leave the database behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
