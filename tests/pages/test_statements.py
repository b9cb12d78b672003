"""How many statements a page sends to the database in one run: each is a round trip before the page is drawn."""

import re

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from tests.bench.bench_statements import PAGES, statements_of_pages
from tests.pages.opened import add_deal

DEAL, OWNER = 1, 5
MAX_STATEMENTS = {"grid page": 11, "dashboard page": 10, "changes page": 12, "audit page": 8}


@pytest.fixture
def statements(session: Session, deals: Access) -> dict[str, list[str]]:
    add_deal(session, "Ann", deals.sheet.sheet_id, {DEAL: "Acme", OWNER: "Ben"})
    return statements_of_pages(session, "Ann", deals.sheet.sheet_id)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_run_takes_few_statements(statements: dict[str, list[str]], page: str) -> None:
    assert len(statements[page]) <= MAX_STATEMENTS[page], "\n\n".join(statements[page])


@pytest.mark.parametrize("page", ["grid page"])
def test_a_page_run_asks_nothing_twice(statements: dict[str, list[str]], page: str) -> None:
    assert sorted(statements[page]) == sorted(set(statements[page]))


@pytest.mark.parametrize("page", ["grid page", "audit page"])
def test_a_page_run_does_not_read_all_users(statements: dict[str, list[str]], page: str) -> None:
    assert [one for one in statements[page] if re.search(r"FROM users(?! .*WHERE)", " ".join(one.split()))] == []
