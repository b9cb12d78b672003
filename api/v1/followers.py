"""Followers: whoever asks what changed while others are being answered is answered together with them.

One edit wakes everybody who looks at a sheet, and they all ask at once, most of them the same. One thread and a
statement or two answer them all, so that the answer to whoever edits does not wait for theirs.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from fastapi import Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api.answers import answered_with, content_of
from api.identity import LinkOver, NotSignedIn, principal_of, session_of
from api.v1.asked import Asker
from core.access import get_access
from core.actor import Actor
from core.entering import enter_together
from core.errors import Refused
from core.permissions import Permission
from core.sync import changes_since
from db.engine import reading

MOST = 100


@dataclass(frozen=True)
class Question:
    """Who asks, and since which version of which sheet."""

    asker: Asker
    sheet: int
    since: int


Answered = Response | Exception


class Followers:
    """Those who wait for an answer on one event loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Question, asyncio.Future[Response]]] = []
        self._answering: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Response:
        """The answer, with that of everybody who asked meanwhile."""
        future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer_all())
        return await future

    async def _answer_all(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            questions = [question for question, _ in together]
            try:
                answers = await run_in_threadpool(answered, questions)
            except Exception as error:  # noqa: BLE001 - Each of them is told, as if they had asked alone.
                answers = [error] * len(questions)
            for (_, future), found in zip(together, answers, strict=True):
                if future.done():
                    continue  # They have hung up.
                if isinstance(found, Exception):
                    future.set_exception(found)
                else:
                    future.set_result(found)


_followers: WeakKeyDictionary[asyncio.AbstractEventLoop, Followers] = WeakKeyDictionary()


def followers() -> Followers:
    """Those of this event loop."""
    return _followers.setdefault(asyncio.get_running_loop(), Followers())


def answered(questions: Sequence[Question]) -> list[Answered]:
    """What changed, for each of them by what they may see; an error for whoever may not ask."""
    with reading() as session:
        actors = enter_together(
            session, [(session_of(one.asker.headers), one.sheet, one.asker.address) for one in questions]
        )
        told = dict[Told, bytes]()
        return [_answer(session, one, actor, told) for one, actor in zip(questions, actors, strict=True)]


# Whoever is of one level, sees the same cells of a sheet and asks since the same version is told the same.
Told = tuple[str, str, int, int]


def _answer(session: Session, question: Question, actor: Actor | None, told: dict[Told, bytes]) -> Answered:
    try:
        # A personal token names no session, nor does the visitor of a link.
        asker = question.asker
        principal = actor or principal_of(session, asker.headers, address=asker.address, only_reads=True)
        access = get_access(session, principal, question.sheet, Permission.ROWS_SEE)
    except (NotSignedIn, LinkOver, Refused) as refusal:
        return refusal
    key = access.level.value, access.scope, access.sheet.version, question.since
    if key not in told:
        told[key] = content_of(changes_since(session, access, question.since).as_json())
    return answered_with(told[key])
