"""What open sheets cost that nobody edits: 300 sockets on 300 sheets, each with somebody there, for 30 seconds."""

import asyncio
import http.client
import json
import os
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
from websockets.asyncio.client import ClientConnection, connect

from core.accounts.accounts import create_user
from core.base.actor import Actor
from core.base.permissions import Role
from core.sheets.sheets import create_sheet
from db import engine as db
from db.start import database, open_engine
from tests.support.server.started import Started

PEOPLE, SHEETS_EACH = 10, 30
SETTLE_SECONDS, SECONDS = 10.0, 30.0
PASSWORD = "figures of quiet sheets"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="cbench-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # As root, the database runs as a user of its own, who must get through.
        data, app_data = Path(folder) / "data", Path(folder) / "app"
        data.mkdir(mode=0o700)
        app_data.mkdir(mode=0o700)
        with database(os.environ.get("DATABASE_URL", ""), "", data) as urls:
            engine = open_engine(urls)
            db.bind(engine)
            sheets = {number: prepare(number) for number in range(PEOPLE)}
            settings = {
                "DATABASE_URL": urls.owner,
                "CONTRIVANCE_APP_DATABASE_URL": urls.app,
                "CONTRIVANCE_LIMITS": "off",
            }
            with Started(app_data, None, **settings) as started:
                asyncio.run(measure(started, sheets))
            engine.dispose()


def email(number: int) -> str:
    return f"idle{number}@example.com"


def prepare(number: int) -> list[int]:
    """A person with sheets of their own."""
    with db.transaction() as session:
        user_id = create_user(
            session, None, email=email(number), name=f"Idle {number}", role=Role.MEMBER, password=PASSWORD
        )
        who = Actor(user_id, f"Idle {number}", email(number), Role.MEMBER)
        return [
            create_sheet(session, who, f"Quiet {n}", template="pipeline").sheet.sheet_id for n in range(SHEETS_EACH)
        ]


def token(port: int, number: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    body = json.dumps({"email": email(number), "password": PASSWORD})
    connection.request("POST", "/api/v1/auth/login", body, {"Content-Type": "application/json"})
    return str(json.loads(connection.getresponse().read())["access_token"])


async def measure(started: Started, sheets: dict[int, list[int]]) -> None:
    """Print the share of one core that the server's process takes, without sockets and with all of them."""
    process = psutil.Process(started.process.pid)
    await asyncio.sleep(SETTLE_SECONDS)
    without = await share(process)
    async with AsyncExitStack() as stack:
        tasks = []
        for number, own in sheets.items():
            headers = {"Authorization": f"Bearer {await asyncio.to_thread(token, started.port, number)}"}
            for sheet in own:
                url = f"ws://127.0.0.1:{started.port}/api/v1/sheets/{sheet}/live"
                socket = await stack.enter_async_context(connect(url, additional_headers=headers, ping_interval=None))
                await socket.send('{"cell": null}')
                tasks.append(asyncio.create_task(listen(socket)))
        await asyncio.sleep(SETTLE_SECONDS)
        share_with = await share(process)
        alive = sum(not task.done() for task in tasks)
        for task in tasks:
            task.cancel()
    sys.stdout.write(f"{alive} open sheets that nobody edits: {share_with:.1%} of one core (promised < 5 %)\n")
    sys.stdout.write(f"  without any {without:.1%}\n")


async def listen(socket: ClientConnection) -> None:
    async for _ in socket:
        pass


async def share(process: psutil.Process) -> float:
    """CPU seconds of the process per second."""
    began, before = time.monotonic(), process.cpu_times()
    await asyncio.sleep(SECONDS)
    after = process.cpu_times()
    spent = after.user + after.system - before.user - before.system
    return float(spent / (time.monotonic() - began))


if __name__ == "__main__":
    main()
