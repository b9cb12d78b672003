"""The live socket of a sheet: sends its version at once and after every change. Clients that subscribe also get the
changes, read with the rights that they have at that moment."""

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

from api.auth.principal import LINK_HEADER, LinkExpired, NotSignedIn, principal_of
from api.auth.request import MAX_ID, Caller
from api.live.change_feed import ChangesRequest, change_feed
from api.live.hub import TooManySockets, hub
from api.live.socket_state import ChangesMessage, Reader, SocketState
from core.access.load import get_access
from core.base.errors import Refused
from core.base.permissions import Permission
from db import disk
from db.engine import Busy, transaction

# The version is sent again after this time. A page that receives nothing for longer treats the connection as dead.
HEARTBEAT_SECONDS = 4.0
# Rights are checked after a notification that they changed, and at this interval in case one was lost.
RECHECK_SECONDS = 60.0
RECHECK_RETRY_SECONDS = 1.0
FIRST_MESSAGE_SECONDS = 5.0
MAX_MESSAGE_CHARACTERS, MAX_ROW_ID = 200, 2**31 - 1
MAX_CHANGES_BYTES = 2**16  # Larger changes are not pushed: the client requests them, and gets them compressed.
SEND_SECONDS = 15.0
# Close codes, in the range that RFC 6455 leaves to applications; 1012 and 1013: connect again in a moment.
NO_SESSION, NO_RIGHT, TOO_SLOW, TOO_MANY = 4401, 4404, 4408, 4429
RESTARTING, TRY_LATER = 1012, 1013

router = APIRouter(tags=["Live"])


class Closed(Exception):
    """Ends the socket with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@router.websocket("/sheets/{sheet}/live")
async def live(websocket: WebSocket, sheet: Annotated[int, Path(ge=1, le=MAX_ID)]) -> None:
    """Send {"version": 7} at once and after every change; with "away" while the database does not answer, and with
    "beat" in a heartbeat, when nothing is new.

    A client that sends the version it has, as {"since": 7}, gets the changes with the next versions, in the form of
    `GET changes`: {"version": 8, "since": 7, "changes": {…}}. If a message has no changes, the client requests them.
    {"version": 8, "related": true} says that rows of a related sheet have changed, at most twice a second.
    A client that sends its cell, as {"cell": [row, column]} or {"cell": null}, gets the present users, now and after
    every move: {"present": [{"connection", "user", "row", "column"}]}.
    A page authenticates with its cookie. A program sends its token as an Authorization header or, if it cannot set
    one, as the first message: {"token": "…"}.
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
    reader = await run_in_threadpool(_check_access, headers, sheet)
    try:
        state = hub.watch(sheet, reader)
    except TooManySockets:
        raise Closed(TOO_MANY, "You have too many live connections open. Close some.") from None
    caller = Caller(headers, websocket.client.host if websocket.client else None, sheet, only_reads=True)
    tasks = {
        asyncio.create_task(_send_messages(websocket, state, caller)),
        asyncio.create_task(_receive_messages(websocket, state)),
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        hub.unwatch(state)
        for task in tasks:
            task.cancel()
        with CancelScope(shield=True):
            await asyncio.gather(*tasks, return_exceptions=True)


async def _send_messages(websocket: WebSocket, state: SocketState, caller: Caller) -> None:
    """Send new messages, and check from time to time whether the reader still has access."""
    checked_at = time.monotonic()
    while True:
        await state.wait(
            RECHECK_RETRY_SECONDS if state.needs_recheck and not state.is_database_lost else HEARTBEAT_SECONDS
        )
        if state.closed:
            raise Closed(RESTARTING, "The server restarts.")
        if not state.is_database_lost and (
            state.needs_recheck or state.is_expired or time.monotonic() - checked_at >= RECHECK_SECONDS
        ):
            checked_at = time.monotonic()
            await _recheck_access(state, caller)
        if state.needs_recheck and not state.is_database_lost:
            continue
        for message in state.messages(await _changes(state, caller)):
            await _send(websocket, message)


async def _changes(state: SocketState, caller: Caller) -> ChangesMessage | None:
    """The changes for a subscribed client; None if the client has to request them, which then gets the error."""
    if (since := state.next_since()) is None:
        return None
    try:
        content = bytes((await change_feed.submit(ChangesRequest(caller, state.sheet_id, since))).body)
    except (NotSignedIn, LinkExpired, Refused, SQLAlchemyError, Busy):
        content = b""
    if not 0 < len(content) <= MAX_CHANGES_BYTES:
        state.restore()
        return None
    return ChangesMessage(since, orjson.loads(content)["version"], content)


async def _recheck_access(state: SocketState, caller: Caller) -> None:
    """Check access again; the check stays due while the database does not answer."""
    state.needs_recheck = False
    try:
        if state.access_checked(await run_in_threadpool(_check_access, caller.headers, state.sheet_id)):
            hub.presence.mark_dirty(state.sheet_id)
    except Closed as closed:
        if closed.code != TRY_LATER:
            raise
        state.needs_recheck = True


async def _send(websocket: WebSocket, message: str) -> None:
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await websocket.send_text(message)
    except TimeoutError:
        raise Closed(TOO_SLOW, "The client does not read.") from None


async def _receive_messages(websocket: WebSocket, state: SocketState) -> None:
    """Read the client's cell and version. This is also how a disconnect is noticed."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        data = _parse(message.get("text") or "")
        if cell := _cell(data):
            hub.presence.move(state, *cell)
        if _is_number(since := data.get("since"), maximum=MAX_ID):
            state.subscribe(since)


def _parse(text: str) -> dict[str, Any]:
    """The JSON object in a message; an empty one for anything else."""
    try:
        data = json.loads(text) if len(text) <= MAX_MESSAGE_CHARACTERS else None
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _cell(data: dict[str, Any]) -> tuple[int | None, int | None] | None:
    """The row and column of {"cell": [row, column]}, both None for {"cell": null}; None for any other message."""
    try:
        cell = data["cell"]
        row, column = (None, None) if cell is None else cell
    except (ValueError, TypeError, KeyError):
        return None
    return (
        (row, column)
        if all(number is None or _is_number(number, maximum=MAX_ROW_ID) for number in (row, column))
        else None
    )


def _is_number(value: object, *, maximum: int) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= maximum


async def _headers(websocket: WebSocket) -> dict[str, str]:
    """The request's headers, with the token of the first message if they have no credentials."""
    headers = dict(websocket.headers)
    if "x-contrivance-session" in headers or LINK_HEADER in headers or "authorization" in headers:
        return headers
    try:
        async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
            token = json.loads(await websocket.receive_text())["token"]
    except (TimeoutError, ValueError, TypeError, KeyError, RecursionError):
        raise Closed(NO_SESSION, 'Authenticate first: {"token": "…"}.') from None
    return headers | {"authorization": f"Bearer {token}"}


def _check_access(headers: Mapping[str, str], sheet: int) -> Reader:
    """The reader and the sheet's version. Raises Closed if the session or the right to see the sheet has ended."""
    try:
        with transaction() as session:
            principal = principal_of(session, headers, only_reads=True)
            access = get_access(session, principal, sheet, Permission.ROWS_SEE)
            sheet_info = access.sheet
            related = frozenset(sheet_id for sheet_id in access.related_sheets if access.related(sheet_id))
            return Reader(principal, sheet_info.version, sheet_info.columns_version, access.scope, related)
    except NotSignedIn:
        raise Closed(NO_SESSION, "Sign in again.") from None
    except (Refused, LinkExpired):
        raise Closed(NO_RIGHT, "This sheet is not shared with you any more.") from None
    except (SQLAlchemyError, Busy):
        raise Closed(TRY_LATER, disk.reason("The database does not answer. Try again in a moment.")) from None
