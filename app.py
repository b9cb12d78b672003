"""The server: Streamlit over pages/main.py, the API at /api, the components' bundles at /assets, on one port."""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import streamlit as st
import uvicorn
from google.protobuf.message import DecodeError
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.routing import Mount
from streamlit import logger as streamlit_logger
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.web.bootstrap import load_config_options

from api import session_routes
from api.app import create_api
from api.assets import asset_mounts
from api.live import hub
from api.middleware import middleware
from api.middleware.sockets import LARGEST_FRAME
from core.demo import seed
from core.errors import Refused
from core.invitations import first_admin_link
from core.logs import configure_logs, get_log
from core.settings import LOOPBACK, ROOT, BadSetting, Settings, settings
from db.embedded import DatabaseUnavailable, Urls
from db.engine import Busy, bind, driver_url, make_engine, transaction
from db.start import database, open_engine

COLLECT_SECONDS = 30
SHUTDOWN_SECONDS = 5
log = get_log("contrivance")
opened: list[Urls] = []  # The database of this process, once it is open.


def read_settings_or_leave() -> Settings:
    """The settings; a bad one ends the start with its sentence."""
    try:
        return settings()
    except BadSetting as error:
        raise SystemExit(f"Contrivance does not start. {error}") from error


def configure_streamlit(ours: Settings) -> None:
    """Streamlit's own options: .streamlit/config.toml of this folder, and what depends on the installation."""
    os.chdir(ROOT)
    load_config_options(
        {
            "server.address": ours.host,
            "server.port": ours.port,
            "server.allowedHosts": list(ours.allowed_hosts),
            "server.cookieSecret": ours.derived_key("streamlit"),
        }
    )
    if st.get_option("runner.postScriptGC") or not st.get_option("server.trustedUserHeaders"):
        raise SystemExit(f"Contrivance does not start. {ROOT}/.streamlit/config.toml was not read.")


def adopt_streamlits_logs() -> None:
    """Streamlit gives each logger a handler of its own, which would print an error with everything in its message."""
    for logger in [*streamlit_logger._loggers.values()]:  # noqa: SLF001 there is no other way to them
        logger.handlers.clear()
        logger.propagate = True
    streamlit_logger.setup_formatter = lambda logger: setattr(logger, "propagate", True)


def kind_of_message(frame: bytes) -> str | None:
    """What a page's socket asks for. What cannot be read is left for Streamlit to refuse."""
    try:
        return str(BackMsg.FromString(frame).WhichOneof("type"))
    except DecodeError:
        return None


def tell_script_error(error: Exception) -> bool:
    """A page that failed says so in one sentence; what went wrong is in the log."""
    if isinstance(error, Refused):
        st.error(error.message, icon=":material/block:")
    elif isinstance(error, OperationalError | InterfaceError | Busy):
        st.error("The database does not answer. Nothing was changed; the page works again when it is back.")
        st.button("Try again", key="contrivance_try_again")
    else:
        st.error("Something went wrong on our side; it has been logged. Reload the page to go on.")
    return True


@contextmanager
def open_database(ours: Settings) -> Iterator[None]:
    """Start or reach the database, bring it to the expected schema and use it until the block ends."""
    with database(ours.database_url, ours.app_database_url, ours.data) as urls:
        engine = open_engine(urls)
        bind(engine)
        opened.append(urls)
        try:
            yield
        finally:
            with suppress(ValueError):  # Not in the main thread: then the signals are somebody else's to handle.
                ignore_signals()
            opened.clear()
            engine.dispose()


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """What lives as long as the server: the database if nobody opened it yet, the live hub, the timed collection."""
    with nullcontext() if opened else open_database(ours):
        await hub.start(driver_url(opened[0].app).replace("+psycopg", ""))
        collecting = asyncio.create_task(collect_garbage())
        welcome(ours)
        if ours.demo:
            Thread(target=seed_demo, args=(opened[0].owner,), name="demo", daemon=True).start()
        try:
            yield
        finally:
            collecting.cancel()
            await hub.stop()


def welcome(ours: Settings) -> None:
    """Tell whoever started the server where it is, and what else they should know."""
    lines = ["", f"  Contrivance is running at {ours.url}", f"  Its data is in {ours.data}. Ctrl+C ends it.", ""]
    with transaction() as session:
        link = first_admin_link(session, ours.url)
    if link:
        lines[-1:] = ["", "  Nobody can sign in yet. Open this link once to become the administrator:", f"  {link}", ""]
    if ours.host not in LOOPBACK and not ours.public_url.startswith("https://"):
        lines += [
            f"  Colleagues reach it at http://{socket.gethostname()}:{ours.port}, over plain http: whoever can listen",
            "  on this network can read passwords and data. For more than a trial put it behind a proxy with https.",
            "",
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def seed_demo(url: str) -> None:
    """Fill a new workspace with the demo while the server already answers; pages ask core.demo how far it is."""
    owner = make_engine(url, role=None, statement_timeout="0")
    try:
        seed(owner, today=datetime.now(UTC).date())
    except Exception:  # Whatever it is, the server goes on without a demo.
        if opened:  # Else the server is ending: the next start goes on with the demo.
            log.exception("demo.failed")
    finally:
        owner.dispose()


async def collect_garbage() -> None:
    """Collect now and then, not after every run; what the start made is never looked at again."""
    gc.collect()
    gc.freeze()
    while True:
        await asyncio.sleep(COLLECT_SECONDS)
        gc.collect()


def main() -> int:
    """Serve until Ctrl+C or SIGTERM; the exit code says whether that was the end that was asked for."""
    handle_signals()
    try:
        with listening(ours.host, ours.port) as listener, open_database(ours):
            serve(listener)
    except KeyboardInterrupt:
        return 0
    except (DatabaseUnavailable, BadSetting) as error:
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
            raise BadSetting(
                f"Port {port} on {host} cannot be used ({error.strerror}): is another server running there? "
                f"Choose another port with PORT={port + 1}."
            ) from error
        listener.setblocking(False)
        yield listener


def serve(listener: socket.socket) -> None:
    """Run the server in this thread. Forwarded addresses count only from proxies that FORWARDED_ALLOW_IPS names."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME + 1024,
        ws_ping_interval=30,
        ws_ping_timeout=30,
        forwarded_allow_ips=os.environ.get("FORWARDED_ALLOW_IPS") or "nobody",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


def handle_signals() -> None:
    """A closed terminal and SIGTERM end the server as Ctrl+C does, also while it is still starting."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGINT))


def ignore_signals() -> None:
    """The end has begun: a second Ctrl+C must not leave the database behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


ours = read_settings_or_leave()
configure_logs(ours.log_level)
configure_streamlit(ours)
adopt_streamlits_logs()
app = st.App(
    ROOT / "pages" / "main.py",
    routes=[Mount("/api", create_api(ours)), *session_routes.routes(ours), *asset_mounts()],
    lifespan=lifespan,
    middleware=middleware(ours, kind_of_message),
    on_script_error=tell_script_error,
)

if __name__ == "__main__":
    sys.exit(main())
