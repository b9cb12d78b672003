"""The cached columns of a sheet: an access has those of its own version, whatever other threads store meanwhile."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.cache import access_cache
from core.access.load import enter, enter_together, get_access
from core.base.actor import Actor
from core.credentials.sessions import start_session
from core.sheets.columns import limit_column

AMOUNT = 4


@pytest.fixture
def session_id(session: Session, cleo: Actor) -> str:
    key, _ = start_session(session, cleo.user_id, kind="api", address=None, user_agent="test")
    return str(key)


@pytest.mark.parametrize(
    "enter_sheet",
    [
        lambda session, key, sheet: enter(session, key, sheet, address=None),
        lambda session, key, sheet: enter_together(session, [(key, sheet, None), (key, sheet, None)])[0],
    ],
    ids=["enter", "enter_together"],
)
def test_columns_that_another_thread_stores_do_not_replace_those_of_an_access(
    session: Session,
    deals: Access,
    ann: Actor,
    session_id: str,
    enter_sheet: Callable[[Session, str, int], Actor | None],
) -> None:
    """A reader of an older snapshot stores the columns of then, in which nothing is hidden yet."""
    sheet, cache = deals.sheet.sheet_id, access_cache(session)
    limit_column(session, ann, sheet, AMOUNT, {"viewer": "hidden"})
    now = get_access(session, ann, sheet)
    cache.store_columns(sheet, now.sheet.columns_version, now.every_column)
    cleo = enter_sheet(session, session_id, sheet)
    assert cleo
    cache.store_columns(sheet, deals.sheet.columns_version, deals.every_column)
    access = get_access(session, cleo, sheet)
    assert access.sheet.columns_version == now.sheet.columns_version
    assert AMOUNT not in access.by_id
