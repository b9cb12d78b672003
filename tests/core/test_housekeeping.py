"""Housekeeping: what is over goes, what somebody may still use stays, and no history is touched."""

from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.actor import Actor
from core.batch import Add, Batch, Given
from core.cells import write
from core.changes import Source
from core.housekeeping import keep_house
from core.sessions import actor_of_session, start_session
from tests.conftest import make_deals


def count(session: Session, table: str) -> int:
    return session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def test_sessions_that_ended_long_ago_go_and_live_ones_stay(session: Session, ann: Actor) -> None:
    old, live = (start_session(session, ann.user_id, kind="browser", address=None, user_agent="")[0] for _ in range(2))
    session.execute(
        text("UPDATE sessions SET ended_at = now() - interval '31 days' WHERE session_id = :id"), {"id": old}
    )
    assert keep_house(session)["sessions"] == 1
    assert actor_of_session(session, live) is not None


def test_a_session_that_was_never_ended_goes_a_month_after_it_expired(session: Session, ann: Actor) -> None:
    start_session(session, ann.user_id, kind="browser", address=None, user_agent="")
    session.execute(text("UPDATE sessions SET expires_at = now() - interval '31 days'"))
    assert keep_house(session)["sessions"] == 1


def test_old_operations_go_and_their_changes_stay(session: Session, ann: Actor) -> None:
    sheet_id = make_deals(session).sheet.sheet_id
    batch = Batch(adds=(Add("n", {1: Given("Acme")}),))
    write(session, ann, sheet_id, batch, operation_id=uuid4(), source=Source.API)
    session.execute(text("UPDATE operations SET created_at = now() - interval '91 days'"))
    write(session, ann, sheet_id, batch, operation_id=uuid4(), source=Source.API)
    assert keep_house(session)["operations"] == 1
    assert (count(session, "operations"), count(session, "changes")) == (1, 2)


def test_where_nothing_is_over_nothing_goes(session: Session, ann: Actor) -> None:
    start_session(session, ann.user_id, kind="api", address=None, user_agent="")
    assert keep_house(session) == {}
