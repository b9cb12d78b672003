"""Together: who asks while others are being answered is answered with the next, and nobody suffers for anybody."""

import asyncio
from collections.abc import Sequence

import pytest

from api.live.batching import Batcher, PerLoopBatcher
from db.engine import Unavailable


def doubled(numbers: Sequence[int]) -> list[int]:
    return [2 * number for number in numbers]


def test_those_who_ask_meanwhile_are_answered_with_the_next() -> None:
    rounds: list[int] = []

    def counted(numbers: Sequence[int]) -> list[int]:
        rounds.append(len(numbers))
        return doubled(numbers)

    async def crowd() -> list[int]:
        waiting = Batcher(counted, 100)
        return list(await asyncio.gather(*(waiting.submit(number) for number in range(250))))

    assert asyncio.run(crowd()) == [2 * number for number in range(250)]
    assert rounds == [100, 100, 50]


def test_questions_of_other_keys_do_not_wait() -> None:
    async def two() -> list[str]:
        order: list[str] = []
        free = asyncio.Event()
        loop = asyncio.get_running_loop()

        def slow_for_one(keys: Sequence[str]) -> Sequence[str]:
            if keys == ["held"]:
                asyncio.run_coroutine_threadsafe(free.wait(), loop).result()
            order.extend(keys)
            return keys

        waiting = Batcher(slow_for_one, 100)
        held = asyncio.create_task(waiting.submit("held", 1))
        await asyncio.sleep(0)
        await waiting.submit("other", 2)
        free.set()
        await held
        return order

    assert asyncio.run(two()) == ["other", "held"]


def test_an_error_of_one_is_told_to_that_one() -> None:
    def picky(numbers: Sequence[int]) -> list[int | Exception]:
        return [ValueError("odd") if number % 2 else number for number in numbers]

    async def crowd() -> list[object]:
        waiting = Batcher[int, int](picky, 100)
        return list(await asyncio.gather(*(waiting.submit(number) for number in range(4)), return_exceptions=True))

    found = asyncio.run(crowd())
    assert [found[0], found[2]] == [0, 2]
    assert [type(found[1]), type(found[3])] == [ValueError, ValueError]


def test_when_the_database_fails_each_of_them_is_told() -> None:
    def away(numbers: Sequence[int]) -> list[int]:
        raise Unavailable

    async def crowd() -> list[object]:
        waiting = Batcher(away, 100)
        return list(await asyncio.gather(*(waiting.submit(number) for number in range(3)), return_exceptions=True))

    assert [type(one) for one in asyncio.run(crowd())] == [Unavailable] * 3


def test_whoever_waits_behind_a_sheet_that_is_held_is_told_with_the_first() -> None:
    rounds: list[list[int]] = []

    def held_at_first(numbers: Sequence[int]) -> list[int | Exception]:
        rounds.append([*numbers])
        return [Unavailable() for _ in numbers] if len(rounds) == 1 else [*numbers]

    async def crowd() -> tuple[list[object], int]:
        waiting = Batcher[int, int](held_at_first, 1)
        found = list(await asyncio.gather(*(waiting.submit(number) for number in range(3)), return_exceptions=True))
        return found, await waiting.submit(7)

    found, later = asyncio.run(crowd())
    assert [type(one) for one in found] == [Unavailable] * 3
    assert rounds == [[0], [7]]
    assert later == 7


def test_one_who_hung_up_holds_nobody_up() -> None:
    async def crowd() -> int:
        waiting = Batcher(doubled, 100)
        gone, stays = asyncio.create_task(waiting.submit(1)), asyncio.create_task(waiting.submit(2))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    assert asyncio.run(crowd()) == 4


@pytest.mark.parametrize("_time", [1, 2])
def test_each_event_loop_has_its_own(_time: int) -> None:
    assert asyncio.run(SHARED.submit(21)) == 42


SHARED = PerLoopBatcher(doubled, 100)
