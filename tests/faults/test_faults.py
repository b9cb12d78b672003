"""The short faults as tests; `make faults` lets each of them go on for longer."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.faults.scenarios import SCENARIOS
from tests.faults.scene import Scene, scene

SECONDS = 8

pytestmark = [pytest.mark.slow, pytest.mark.serial]


@pytest.fixture(scope="module")
def running() -> Iterator[Scene]:
    with scene() as made:
        yield made


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_doubled_or_left_behind(running: Scene, name: str) -> None:
    report = asyncio.run(SCENARIOS[name](running, SECONDS))
    assert report.faults
    assert report.is_clean, report.said()
