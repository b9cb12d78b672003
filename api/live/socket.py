"""Live: a socket per open sheet that says its version, at once and after every change, and what changed to those who
follow. That is read as for whoever asks for it, each time by what they may see at that moment."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Annotated, Any, TypeGuard

import orjson
from anyio import CancelScope
from fastapi import APIRouter, Path, WebSocket, WebSocketDisconnect
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from api.auth.principal import LINK_HEADER, LinkOver, NotSignedIn, principal_of
from api.auth.request import MOST_ID, Asker
from api.live.change_feed import Question, followers
from api.live.hub import TooManySockets, hub
from api.live.mailbox import Mailbox, Reader, Told
from core.access.access import get_access
from core.base.errors import Refused
from core.base.permissions import Permission
from db import disk
from db.engine import Busy, transaction

# A socket says its version again after so long: a page that hears nothing for longer knows that the line is dead.
HEARTBEAT_SECONDS = 4.0
# Rights are looked at when a notice says that they changed, and so often in case that one got lost.
LOOK_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 1.0
FIRST_MESSAGE_SECONDS = 5.0
LONGEST_MESSAGE, MOST_ROW = 200, 2**31 - 1
LONGEST_CHANGES = 2**16  # Of more than so many bytes only the version is said: they are asked for, and come compressed.
SEND_SECONDS = 15.0
# Why a socket was closed, in the range that RFC 6455 leaves to applications; 1012 and 1013: come back in a moment.
NO_SESSION, NO_RIGHT, TOO_SLOW, TOO_MANY = 4401, 4404, 4408, 4429
RESTARTING, TRY_LATER = 1012, 1013

router = APIRouter(tags=["Live"])


class Closed(Exception):
    """The socket shall be closed, with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@router.websocket("/sheets/{sheet}/live")
async def live(websocket: WebSocket, sheet: Annotated[int, Path(ge=1, le=MOST_ID)]) -> None:
    """Sends {"version": 7} at once and after every change; with "away" while the database is away, with "beat" where
    nothing is new and only a sign of life is due.

    Whoever says which version they have, as {"since": 7}, is told what changed with the next ones, in the words of
    `GET changes`: {"version": 8, "since": 7, "changes": {…}}. A message without is to be asked about.
    Whoever says where they are, as {"cell": [row, column]} or {"cell": null}, is told who else is there, now and after
    every move: {"present": [{"connection", "user", "row", "column"}]}.
    A page is known by its cookie. A program gives its token as an Authorization header or, where it cannot set one,
    as the first message: {"token": "…"}.
    """
    await websocket.accept()
    try:
        await _serve(websocket, sheet)
    except Closed as closed:
        await websocket.close(closed.code, closed.reason)
    except WebSocketDisconnect:
        pass


async def _serve(websocket: WebSocket, sheet: int) -> None:
    headers = await _headers(websocket)
    reader = await run_in_threadpool(_look, headers, sheet)
    try:
        mailbox = hub.watch(sheet, reader.who)
    except TooManySockets:
        raise Closed(TOO_MANY, "You have too many live connections open. Close some.") from None
    mailbox.looked(reader)
    mailbox.put(reader.version)
    asker = Asker(headers, websocket.client.host if websocket.client else None, sheet, only_reads=True)
    tasks = {asyncio.create_task(_talk(websocket, mailbox, asker)), asyncio.create_task(_listen(websocket, mailbox))}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        hub.leave(mailbox)
        for task in tasks:
            task.cancel()
        with CancelScope(shield=True):
            await asyncio.gather(*tasks, return_exceptions=True)


async def _talk(websocket: WebSocket, mailbox: Mailbox, asker: Asker) -> None:
    """Say what is new whenever there is news; look again whether the reader may still hear it."""
    looked = time.monotonic()
    while True:
        await mailbox.news(LOOK_AGAIN_SECONDS if mailbox.doubted and not mailbox.away else HEARTBEAT_SECONDS)
        if mailbox.closed:
            raise Closed(RESTARTING, "The server restarts.")
        if not mailbox.away and (mailbox.doubted or mailbox.is_over or time.monotonic() - looked >= LOOK_SECONDS):
            looked = time.monotonic()
            await _look_again(mailbox, asker)
        if mailbox.doubted and not mailbox.away:
            continue
        for message in mailbox.messages(await _changes(mailbox, asker)):
            await _say(websocket, message)


async def _changes(mailbox: Mailbox, asker: Asker) -> Told | None:
    """What is new for somebody who follows; None where they have to ask, and are told there what is the matter."""
    if (since := mailbox.ask()) is None:
        return None
    try:
        content = bytes((await followers.ask(Question(asker, mailbox.sheet_id, since))).body)
    except (NotSignedIn, LinkOver, Refused, SQLAlchemyError, Busy):
        content = b""
    if not 0 < len(content) <= LONGEST_CHANGES:
        mailbox.fail()
        return None
    return Told(since, orjson.loads(content)["version"], content)


async def _look_again(mailbox: Mailbox, asker: Asker) -> None:
    """Whether the reader may still hear; the mailbox stays in doubt for as long as that cannot be found out."""
    mailbox.doubted = False
    try:
        if mailbox.looked(await run_in_threadpool(_look, asker.headers, mailbox.sheet_id)):
            hub.presence.stir(mailbox.sheet_id)
    except Closed as closed:
        if closed.code != TRY_LATER:
            raise
        mailbox.doubted = True


async def _say(websocket: WebSocket, message: str) -> None:
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await websocket.send_text(message)
    except TimeoutError:
        raise Closed(TOO_SLOW, "The other side does not read.") from None


async def _listen(websocket: WebSocket, mailbox: Mailbox) -> None:
    """Read where the other side says it is and what it has; that is also how its going away is noticed."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        said = _said(message.get("text") or "")
        if cell := _cell(said):
            hub.presence.place(mailbox, *cell)
        if _is_number(since := said.get("since"), most=MOST_ID):
            mailbox.follow(since)


def _said(text: str) -> dict[str, Any]:
    """The object that was sent; an empty one for anything else."""
    try:
        said = json.loads(text) if len(text) <= LONGEST_MESSAGE else None
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _cell(said: dict[str, Any]) -> tuple[int | None, int | None] | None:
    """The row and column of {"cell": [row, column]}, both None for {"cell": null}; None for any other message."""
    try:
        cell = said["cell"]
        row, column = (None, None) if cell is None else cell
    except (ValueError, TypeError, KeyError):
        return None
    return (row, column) if all(one is None or _is_number(one, most=MOST_ROW) for one in (row, column)) else None


def _is_number(given: object, *, most: int) -> TypeGuard[int]:
    return type(given) is int and 0 < given <= most


async def _headers(websocket: WebSocket) -> dict[str, str]:
    """The request's headers, with the token of the first message where they say nothing of who is asking."""
    headers = dict(websocket.headers)
    if "x-contrivance-session" in headers or LINK_HEADER in headers or "authorization" in headers:
        return headers
    try:
        async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
            token = json.loads(await websocket.receive_text())["token"]
    except (TimeoutError, ValueError, TypeError, KeyError, RecursionError):
        raise Closed(NO_SESSION, 'Say who you are: {"token": "…"}.') from None
    return headers | {"authorization": f"Bearer {token}"}


def _look(headers: Mapping[str, str], sheet: int) -> Reader:
    """Who reads and the sheet's version; Closed where the session or the right to see the sheet is gone."""
    try:
        with transaction() as session:
            principal = principal_of(session, headers, only_reads=True)
            access = get_access(session, principal, sheet, Permission.ROWS_SEE)
            return Reader(principal, access.sheet.version, access.scope)
    except NotSignedIn:
        raise Closed(NO_SESSION, "Sign in again.") from None
    except (Refused, LinkOver):
        raise Closed(NO_RIGHT, "This sheet is not shared with you any more.") from None
    except (SQLAlchemyError, Busy):
        raise Closed(TRY_LATER, disk.reason("The database does not answer. Try again in a moment.")) from None
