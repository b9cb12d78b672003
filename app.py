"""The application: Streamlit over pages/main.py, the API at /api, the components' bundles at /assets, on one port."""

import asyncio
import gc
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import streamlit as st
from google.protobuf.message import DecodeError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from starlette.responses import RedirectResponse
from starlette.routing import Route
from streamlit import logger as streamlit_logger
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import get_instance
from streamlit.web.bootstrap import load_config_options
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from api.app import create_api
from api.assets import asset_mounts
from api.auth import public_link_routes, session_routes
from api.live.hub import hub
from api.middleware import middleware
from core.accounts.invitations import first_admin_link
from core.admin.cleanup import keep_house
from core.audit import chain
from core.base.errors import Refused
from core.base.logs import configure_logs, get_log
from core.config.oidc_settings import CALLBACK_PATH, STREAMLIT_PROVIDER
from core.config.running_servers import registered_server
from core.config.settings import LOOPBACK, ROOT, InvalidSetting, Settings, settings
from core.demo.seed import seed
from core.limits.rate_limits import configure_limits
from core.mail.outbox import send_letters
from core.mail.smtp import post
from core.notifications.letters import compose
from db import disk
from db.embedded.server import Urls
from db.engine import Busy, bind, driver_url, make_engine, transaction
from db.start import database, open_engine

COLLECT_SECONDS = 30
HOUSEKEEPING_SECONDS = 3600
POST_SECONDS = 2
DISK_SECONDS = 60
log = get_log("contrivance")
opened: list[Urls] = []  # The database of this process, once it is open.


def read_settings_or_leave() -> Settings:
    """The settings; a bad one ends the start with its sentence."""
    try:
        post()
        return settings()
    except InvalidSetting as error:
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


def streamlits_secrets(ours: Settings) -> dict[str, Any]:
    """What Streamlit must know of the provider; it is in no file."""
    if ours.provider is None:
        return {}
    known = {
        "client_id": ours.provider.client_id,
        "client_secret": ours.provider.client_secret,
        "server_metadata_url": ours.provider.metadata_url,
    }
    shared = {"redirect_uri": ours.url + CALLBACK_PATH, "cookie_secret": ours.derived_key("streamlit")}
    return {"auth": {**shared, STREAMLIT_PROVIDER: known}}


def claims_of(cookies: Mapping[str, str]) -> Mapping[str, Any] | None:
    """What a provider has said of somebody, from the cookies in which Streamlit would keep it."""

    def part(name: str) -> bytes | None:
        value = cookies.get(name)
        return decode_signed_value(get_cookie_secret(), name, value.encode()) if value else None

    try:
        found = get_cookie_with_chunks(part, USER_COOKIE_NAME)
        return json.loads(found) if found else None
    except ValueError:
        return None


def adopt_streamlits_logs() -> None:
    """Streamlit gives each logger a handler of its own, which would print an error with everything in its message."""
    for logger in [*streamlit_logger._loggers.values()]:  # noqa: SLF001 there is no other way to them
        logger.handlers.clear()
        logger.propagate = True
    streamlit_logger.setup_formatter = lambda logger: setattr(logger, "propagate", True)


def kind_of_message(frame: bytes) -> str | None:
    """What a page's socket asks for. What cannot be read is left for Streamlit to refuse."""
    try:
        message = BackMsg.FromString(frame)
    except DecodeError:
        return None
    kind = message.WhichOneof("type")
    return str(message.backend_operation_request.WhichOneof("payload") if kind == "backend_operation_request" else kind)


def session_of_page(page_id: str) -> str | None:
    """The session in which a page was opened, by Streamlit's id of the page; None where no such page is open here."""
    found = get_instance()._session_mgr.get_active_session_info(page_id)  # noqa: SLF001 there is no other way to it
    return str(found.session._user_info.get("session") or "") or None if found else None  # noqa: SLF001 the same


def tell_script_error(error: Exception) -> bool:
    """A page that failed says so in one sentence; what went wrong is in the log."""
    if isinstance(error, Refused):
        st.error(error.message, icon=":material/block:")
    elif isinstance(error, OperationalError | InterfaceError | Busy):
        away = "The database does not answer. Nothing was changed; the page works again when it is back."
        st.error(disk.reason(away))
        st.button("Try again", key="contrivance_try_again")
    else:
        st.error("Something went wrong on our side; it has been logged. Reload the page to go on.")
    return True


@contextmanager
def using(urls: Urls) -> Iterator[None]:
    """Bring the database to the expected schema and work on it until the block ends."""
    engine = open_engine(urls)
    bind(engine)
    if ours.embedded:
        disk.watch(ours.data)
    opened.append(urls)
    try:
        yield
    finally:
        opened.clear()
        engine.dispose()


@contextmanager
def own_database() -> Iterator[None]:
    """The database for a server that was not started by serve.py (`streamlit run app.py`, uvicorn)."""
    with database(ours.database_url, ours.app_database_url, ours.data) as urls, using(urls):
        yield


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """What lives as long as the server: the database if nobody opened it yet, the live hub, the timed collection."""
    with nullcontext() if opened else own_database(), registered_server(ours.data, ours.url):
        await hub.start(driver_url(opened[0].app).replace("+psycopg", ""))
        regular = [
            asyncio.create_task(task) for task in (collect_garbage(), keep_house_hourly(), send_post(), watch_disk())
        ]
        welcome(ours)
        if ours.demo:
            Thread(target=seed_demo, args=(opened[0].owner,), name="demo", daemon=True).start()
        try:
            yield
        finally:
            for task in regular:
                task.cancel()
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
    gc.enable()
    gc.collect()
    gc.freeze()
    while True:
        await asyncio.sleep(COLLECT_SECONDS)
        gc.collect()


async def keep_house_hourly() -> None:
    """Have what is over deleted. A database that is away is tidied the next time."""
    while True:
        await asyncio.sleep(HOUSEKEEPING_SECONDS)
        try:
            gone, (events, head) = await asyncio.to_thread(tidy)
            if gone:
                log.info("house.kept", **gone)
            log.info("audit.head", events=events, head=head)  # So that every log that is kept elsewhere is a witness.
        except (SQLAlchemyError, Busy) as error:
            log.warning("house.not_kept", reason=type(error).__name__)


async def watch_disk() -> None:
    """Warn in the log before the disk of the data folder is full, and say when there is room again."""
    was_nearly_full = False
    while True:
        with suppress(OSError):
            now = shutil.disk_usage(ours.data)
            is_nearly_full = disk.is_nearly_full(now.total, now.free)
            if is_nearly_full != was_nearly_full:
                tell = log.warning if is_nearly_full else log.info
                tell("disk.nearly_full" if is_nearly_full else "disk.has_room", free=now.free, size=now.total)
            was_nearly_full = is_nearly_full
        await asyncio.sleep(DISK_SECONDS)


async def send_post() -> None:
    """Send the letters that wait. What cannot be sent now waits longer; nothing is lost with this process."""
    failures = 0
    while True:
        await asyncio.sleep(POST_SECONDS * 2 ** min(failures, 5))
        try:
            await asyncio.to_thread(send_letters, transaction, compose, post())
            failures = 0
        except Exception as error:  # noqa: BLE001 - whatever it is, the next letter gets its chance.
            failures += 1
            log.warning("mail.interrupted", reason=type(error).__name__, failures=failures)


def tidy() -> tuple[dict[str, int], tuple[int, str]]:
    with transaction() as session:
        return keep_house(session), chain.head(session)


ours = read_settings_or_leave()
configure_logs(ours.log_level)
configure_limits(ours.rates, ours.redis_url)
configure_streamlit(ours)
adopt_streamlits_logs()
app = st.App(
    ROOT / "pages" / "main.py",
    # Streamlit knows its first page at / only; whoever types its name means it.
    routes=[
        Route("/sheets", lambda _: RedirectResponse("/")),
        *session_routes.routes(ours),
        *public_link_routes.routes(ours),
        *asset_mounts(),
    ],
    lifespan=lifespan,
    middleware=middleware(ours, kind_of_message, create_api(), claims_of, session_of_page),
    secrets=streamlits_secrets(ours),
    on_script_error=tell_script_error,
)
