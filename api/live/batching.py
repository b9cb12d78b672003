"""Batching: requests of one kind that arrive while others are being answered are answered together in the next round.

One thread, one transaction and a statement or two answer a round. No request waits on purpose: the first one starts at
once, and those that arrive meanwhile form the next round.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.exc import OperationalError

from db.engine import Busy

# The database is away, or what is asked for is locked: trying the next request would end the same way.
RETRY_LATER = (OperationalError, Busy)
# Its own pool: the way into Starlette's takes twice as long.
_threads = ThreadPoolExecutor(16, thread_name_prefix="batch")
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Batcher(Generic[Question, Answer]):
    """The waiting requests of one event loop, by key: the requests of one key are answered round after round."""

    def __init__(self, answer_round: Callable[[Sequence[Question]], Sequence[Answer | Exception]], size: int) -> None:
        self._answer_round = answer_round
        self._size = size
        self._waiting: dict[Hashable, list[tuple[Question, asyncio.Future[Answer]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question, key: Hashable = None) -> Answer:
        """Return the answer, from the next round of this key; raise it where it is an Exception."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if key in self._waiting:
            self._waiting[key].append((question, future))
        else:
            self._waiting[key] = [(question, future)]
            task = asyncio.create_task(self._answer_all(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _answer_all(self, key: Hashable) -> None:
        loop = asyncio.get_running_loop()
        while waiting := self._waiting[key]:
            batch, self._waiting[key] = waiting[: self._size], waiting[self._size :]
            try:
                answers = await loop.run_in_executor(_threads, self._answer_round, [question for question, _ in batch])
            except Exception as error:  # noqa: BLE001 - Each request of the round fails as if it had come alone.
                answers = [error] * len(batch)
            if retry_later := next((answer for answer in answers if isinstance(answer, RETRY_LATER)), None):
                # Requests that wait behind the same lock fail now, and do not wait for as long once more.
                batch, self._waiting[key] = batch + self._waiting[key], []
                answers = [*answers, *[retry_later] * (len(batch) - len(answers))]
            for (_, future), answer in zip(batch, answers, strict=True):
                if future.done():
                    continue  # The client has hung up.
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
        del self._waiting[key]


class PerLoopBatcher(Generic[Question, Answer]):
    """One Batcher for each event loop."""

    def __init__(self, answer_round: Callable[[Sequence[Question]], Sequence[Answer | Exception]], size: int) -> None:
        self._batchers = WeakKeyDictionary[asyncio.AbstractEventLoop, Batcher[Question, Answer]]()
        self._answer_round, self._size = answer_round, size

    async def ask(self, question: Question, key: Hashable = None) -> Answer:
        """As Batcher.ask(), on the loop that is running."""
        loop = asyncio.get_running_loop()
        if loop not in self._batchers:
            self._batchers[loop] = Batcher(self._answer_round, self._size)
        return await self._batchers[loop].ask(question, key)
