"""Together: those who ask for the same kind of thing while others are being answered are answered together with them.

One thread, one transaction and a statement or two answer them all, and nobody waits for anybody on purpose: whoever
comes first begins at once, and whoever comes meanwhile is in the next round.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.exc import OperationalError

from db.engine import Busy

# The database is away, or what is asked for is held by somebody: no matter of whoever happened to ask.
HOPELESS = (OperationalError, Busy)
# Of their own: the way into one of Starlette's takes twice as long.
_threads = ThreadPoolExecutor(16, thread_name_prefix="together")
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Together(Generic[Question, Answer]):
    """Those who wait on one event loop, by key: the questions of one key are answered round after round."""

    def __init__(self, answered: Callable[[Sequence[Question]], Sequence[Answer | Exception]], most: int) -> None:
        self._answered = answered
        self._most = most
        self._waiting: dict[Hashable, list[tuple[Question, asyncio.Future[Answer]]]] = {}
        self._rounds: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question, key: Hashable = None) -> Answer:
        """The answer, with those of everybody who asked meanwhile; raises what it is where it is an Exception."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if key in self._waiting:
            self._waiting[key].append((question, future))
        else:
            self._waiting[key] = [(question, future)]
            rounds = asyncio.create_task(self._answer_all(key))
            self._rounds.add(rounds)
            rounds.add_done_callback(self._rounds.discard)
        return await future

    async def _answer_all(self, key: Hashable) -> None:
        loop = asyncio.get_running_loop()
        while waiting := self._waiting[key]:
            together, self._waiting[key] = waiting[: self._most], waiting[self._most :]
            try:
                answers = await loop.run_in_executor(_threads, self._answered, [question for question, _ in together])
            except Exception as error:  # noqa: BLE001 - Each of them is told, as if they had asked alone.
                answers = [error] * len(together)
            if hopeless := next((found for found in answers if isinstance(found, HOPELESS)), None):
                # Whoever waited meanwhile is told so now, and does not wait for as long once more.
                together, self._waiting[key] = together + self._waiting[key], []
                answers = [*answers, *[hopeless] * (len(together) - len(answers))]
            for (_, future), found in zip(together, answers, strict=True):
                if future.done():
                    continue  # They have hung up.
                if isinstance(found, Exception):
                    future.set_exception(found)
                else:
                    future.set_result(found)
        del self._waiting[key]


class OfLoop(Generic[Question, Answer]):
    """One Together for each event loop."""

    def __init__(self, answered: Callable[[Sequence[Question]], Sequence[Answer | Exception]], most: int) -> None:
        self._made = WeakKeyDictionary[asyncio.AbstractEventLoop, Together[Question, Answer]]()
        self._answered, self._most = answered, most

    async def ask(self, question: Question, key: Hashable = None) -> Answer:
        """As Together.ask(), on the loop that is running."""
        loop = asyncio.get_running_loop()
        if loop not in self._made:
            self._made[loop] = Together(self._answered, self._most)
        return await self._made[loop].ask(question, key)
