"""Somebody works faster than the server allows: the grid says so, waits as long as it is told to, and loses nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.people import Person
from tests.browser.test_together import stored
from tests.support.server.started import Started

DEAL = 0
ROWS = 25


@pytest.fixture(scope="module")
def database_url(own_database: str) -> str:
    return own_database


@pytest.fixture(scope="module")
def server_at(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """The product with a limit that typing reaches, by a person whose values come one a second."""
    folder: Path = tmp_path_factory.mktemp("pace") / "data"
    with Started(folder, DATABASE_URL=database_url, CONTRIVANCE_LIMITS="api=6/5") as started:
        yield started


@pytest.mark.exhaustive
def test_what_is_typed_too_fast_is_saved_a_little_later(
    person: Callable[..., Person], make_sheet: Callable[..., int]
) -> None:
    sheet = make_sheet(ROWS)
    ann = person("Ann").known().open_sheet(sheet)
    told: set[str] = set()
    ann.page.on("response", lambda answer: told.add(f"{answer.request.method} {answer.status}"))
    ann.select(DEAL, 0)
    said: set[str] = set()
    for number in range(ROWS):
        ann.type(f"Fast {number}")
        said.add(ann.saving.split("…")[0])
    ann.until(lambda: said.add(ann.saving.split("…")[0]) or "PATCH 429" in told, lambda: f"told {told}")  # type: ignore[func-returns-value]
    ann.saved()
    assert [stored(sheet, number + 1, 1) for number in range(ROWS)] == [f"Fast {number}" for number in range(ROWS)]
    assert "Saving slowly" in said
    assert "Not saved" not in str(said)
