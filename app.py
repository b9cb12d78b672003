"""The application: Streamlit over pages/main.py, the API at /api, the components' bundles at /assets, on one port."""

import asyncio
import gc
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any

import streamlit as st
from google.protobuf.message import DecodeError
from sqlalchemy.exc import InterfaceError, OperationalError
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
from core.background.job_types import job_types
from core.base.errors import Refused
from core.base.logs import configure_logs
from core.config.oidc_settings import CALLBACK_PATH, STREAMLIT_PROVIDER
from core.config.running_servers import registered_server
from core.config.settings import LOOPBACK, ROOT, InvalidSetting, Settings, settings
from core.demo.seed import DEMO_KIND, is_seeded
from core.jobs import queue
from core.jobs.worker import Worker
from core.limits.rate_limits import configure_limits
from core.mail.smtp import mail_transport
from db import disk
from db.embedded.server import Urls
from db.engine import Busy, bind, driver_url, transaction
from db.start import database, open_engine
from pages.components.app.preload import preload

COLLECT_SECONDS = 30
open_databases: list[Urls] = []  # The database of this process, once it is open.


def read_settings_or_exit() -> Settings:
    """Return the settings. A wrong setting ends the start with a message."""
    try:
        mail_transport()
        return settings()
    except InvalidSetting as error:
        raise SystemExit(f"Contrivance does not start. {error}") from error


def configure_streamlit(config: Settings) -> None:
    """Set Streamlit's options: .streamlit/config.toml of this folder, and those that depend on the installation."""
    os.chdir(ROOT)
    load_config_options(
        {
            "server.address": config.host,
            "server.port": config.port,
            "server.allowedHosts": list(config.allowed_hosts),
            "server.cookieSecret": config.derived_key("streamlit"),
        }
    )
    if st.get_option("runner.postScriptGC") or not st.get_option("server.trustedUserHeaders"):
        raise SystemExit(f"Contrivance does not start. {ROOT}/.streamlit/config.toml was not read.")


def streamlit_secrets(config: Settings) -> dict[str, Any]:
    """Return the provider's settings for st.login; they are not in any file."""
    if config.provider is None:
        return {}
    provider = {
        "client_id": config.provider.client_id,
        "client_secret": config.provider.client_secret,
        "server_metadata_url": config.provider.metadata_url,
    }
    common = {"redirect_uri": config.url + CALLBACK_PATH, "cookie_secret": config.derived_key("streamlit")}
    return {"auth": {**common, STREAMLIT_PROVIDER: provider}}


def claims_in_cookies(cookies: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Return the claims of the OpenID Connect provider, from the cookies in which Streamlit keeps them."""

    def cookie_part(name: str) -> bytes | None:
        value = cookies.get(name)
        return decode_signed_value(get_cookie_secret(), name, value.encode()) if value else None

    try:
        claims = get_cookie_with_chunks(cookie_part, USER_COOKIE_NAME)
        return json.loads(claims) if claims else None
    except ValueError:
        return None


def redirect_streamlit_logs() -> None:
    """Send Streamlit's logs through ours: its own handlers would print an error with everything in its message."""
    for logger in [*streamlit_logger._loggers.values()]:  # noqa: SLF001 Streamlit has no public way to them
        logger.handlers.clear()
        logger.propagate = True
    streamlit_logger.setup_formatter = lambda logger: setattr(logger, "propagate", True)


def kind_of_message(frame: bytes) -> str | None:
    """Return the kind of a message from a page. Streamlit refuses a message that cannot be read."""
    try:
        message = BackMsg.FromString(frame)
    except DecodeError:
        return None
    kind = message.WhichOneof("type")
    return str(message.backend_operation_request.WhichOneof("payload") if kind == "backend_operation_request" else kind)


def session_of_page(page_id: str) -> str | None:
    """Return the session in which a page was opened, by Streamlit's id of the page; None if it is not open here."""
    page = get_instance()._session_mgr.get_active_session_info(page_id)  # noqa: SLF001 Streamlit has no public way
    return str(page.session._user_info.get("session") or "") or None if page else None  # noqa: SLF001 as above


def show_script_error(error: Exception) -> bool:
    """Show one sentence on a page that failed; the error itself is in the log."""
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
    """Bring the database to the expected schema and use it until the block ends."""
    engine = open_engine(urls)
    bind(engine)
    if config.embedded:
        disk.watch(config.data)
    open_databases.append(urls)
    try:
        yield
    finally:
        open_databases.clear()
        engine.dispose()


@contextmanager
def own_database() -> Iterator[None]:
    """Open the database for a server that serve.py did not start (`streamlit run app.py`, uvicorn)."""
    with database(config.database_url, config.app_database_url, config.data) as urls, using(urls):
        yield


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Run what lives as long as the server: the database, the live hub, the worker, the garbage collection."""
    with nullcontext() if open_databases else own_database(), registered_server(config.data, config.url):
        urls = open_databases[0]
        conninfo = driver_url(urls.app).replace("+psycopg", "")
        await hub.start(conninfo)
        worker = Worker(job_types(urls.owner), transaction, conninfo)
        prepare_jobs(worker)
        if config.runs_jobs:
            worker.start()
        collector = asyncio.create_task(collect_garbage())
        asyncio.get_running_loop().run_in_executor(None, preload)
        print_welcome(config)
        try:
            yield
        finally:
            collector.cancel()
            await hub.stop()
            await asyncio.to_thread(worker.stop)


def prepare_jobs(worker: Worker) -> None:
    """Schedule what runs regularly, and the demo of a new workspace."""
    with transaction() as session:
        worker.schedule(session)
        if config.demo and not is_seeded(session):
            queue.enqueue_once(session, DEMO_KIND)


def print_welcome(config: Settings) -> None:
    """Print the address of the server, the first administrator's link, and a warning about plain http."""
    lines = ["", f"  Contrivance is running at {config.url}", f"  Its data is in {config.data}. Ctrl+C ends it.", ""]
    with transaction() as session:
        link = first_admin_link(session, config.url)
    if link:
        lines[-1:] = ["", "  Nobody can sign in yet. Open this link once to become the administrator:", f"  {link}", ""]
    if config.host not in LOOPBACK and not config.public_url.startswith("https://"):
        lines += [
            f"  Colleagues reach it at http://{socket.gethostname()}:{config.port}, over plain http: anyone who can",
            "  listen on this network can read passwords and data. For more than a trial, use a proxy with https.",
            "",
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


async def collect_garbage() -> None:
    """Collect garbage every half minute, not after every run; objects made by the start are left out for good."""
    gc.enable()
    gc.collect()
    gc.freeze()
    while True:
        await asyncio.sleep(COLLECT_SECONDS)
        gc.collect()


config = read_settings_or_exit()
configure_logs(config.log_level)
configure_limits(config.rates, config.redis_url)
configure_streamlit(config)
redirect_streamlit_logs()
app = st.App(
    ROOT / "pages" / "main.py",
    # Streamlit knows its first page at / only; its name in the address means it, too.
    routes=[
        Route("/sheets", lambda _: RedirectResponse("/")),
        *session_routes.routes(config),
        *public_link_routes.routes(config),
        *asset_mounts(),
    ],
    lifespan=lifespan,
    middleware=middleware(config, kind_of_message, create_api(), claims_in_cookies, session_of_page),
    secrets=streamlit_secrets(config),
    on_script_error=show_script_error,
)
