"""Batching: requests of one kind that arrive while a round is being answered form the next round.

One thread answers a round, in one transaction with one or two statements. No request is delayed: the first one starts
at once.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.exc import OperationalError

from db.engine import Busy

# The database does not answer, or the sheet is locked: the next request would fail as well.
RETRY_LATER = (OperationalError, Busy)
# A separate pool: a call through Starlette's takes twice as long.
_threads = ThreadPoolExecutor(16, thread_name_prefix="batch")
RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")


class Batcher(Generic[RequestT, ResponseT]):
    """The waiting requests of one event loop, by key. The requests of one key are answered round after round."""

    def __init__(
        self, answer_round: Callable[[Sequence[RequestT]], Sequence[ResponseT | Exception]], size: int
    ) -> None:
        self._answer_round = answer_round
        self._size = size
        self._waiting: dict[Hashable, list[tuple[RequestT, asyncio.Future[ResponseT]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, request: RequestT, key: Hashable = None) -> ResponseT:
        """Return the response, from the next round of this key. Raise it if it is an Exception."""
        future: asyncio.Future[ResponseT] = asyncio.get_running_loop().create_future()
        if key in self._waiting:
            self._waiting[key].append((request, future))
        else:
            self._waiting[key] = [(request, future)]
            task = asyncio.create_task(self._answer_all(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _answer_all(self, key: Hashable) -> None:
        loop = asyncio.get_running_loop()
        while waiting := self._waiting[key]:
            batch, self._waiting[key] = waiting[: self._size], waiting[self._size :]
            try:
                responses = await loop.run_in_executor(_threads, self._answer_round, [request for request, _ in batch])
            except Exception as error:  # noqa: BLE001 - Each request of the round fails with the error.
                responses = [error] * len(batch)
            if retry_later := next((response for response in responses if isinstance(response, RETRY_LATER)), None):
                # Requests that wait for this lock fail now, so that none waits for the lock's timeout again.
                batch, self._waiting[key] = batch + self._waiting[key], []
                responses = [*responses, *[retry_later] * (len(batch) - len(responses))]
            for (_, future), response in zip(batch, responses, strict=True):
                if future.done():
                    continue  # The client has disconnected.
                if isinstance(response, Exception):
                    future.set_exception(response)
                else:
                    future.set_result(response)
        del self._waiting[key]


class PerLoopBatcher(Generic[RequestT, ResponseT]):
    """One Batcher for each event loop."""

    def __init__(
        self, answer_round: Callable[[Sequence[RequestT]], Sequence[ResponseT | Exception]], size: int
    ) -> None:
        self._batchers = WeakKeyDictionary[asyncio.AbstractEventLoop, Batcher[RequestT, ResponseT]]()
        self._answer_round, self._size = answer_round, size

    async def submit(self, request: RequestT, key: Hashable = None) -> ResponseT:
        """Submit the request to the Batcher of the running loop, and return its response or raise its error."""
        loop = asyncio.get_running_loop()
        if loop not in self._batchers:
            self._batchers[loop] = Batcher(self._answer_round, self._size)
        return await self._batchers[loop].submit(request, key)
