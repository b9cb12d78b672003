"""Housekeeping: what is over goes, what somebody may still use stays, and no history is touched."""

from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.admin.cleanup import delete_expired
from core.base.actor import Actor
from core.base.permissions import Scope
from core.credentials.sessions import actor_of_session, start_session
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.mail.outbox import queue_mail
from core.sign_in.api_tokens import create_token
from core.sign_in.email_links import reset_link
from tests.conftest import make_deals


def count(session: Session, table: str) -> int:
    return session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def test_sessions_that_ended_long_ago_go_and_live_ones_stay(session: Session, ann: Actor) -> None:
    old, live = (start_session(session, ann.user_id, kind="browser", address=None, user_agent="")[0] for _ in range(2))
    session.execute(
        text("UPDATE sessions SET ended_at = now() - interval '31 days' WHERE session_id = :id"), {"id": old}
    )
    assert delete_expired(session)["sessions"] == 1
    assert actor_of_session(session, live) is not None


def test_a_session_that_was_never_ended_goes_a_month_after_it_expired(session: Session, ann: Actor) -> None:
    start_session(session, ann.user_id, kind="browser", address=None, user_agent="")
    session.execute(text("UPDATE sessions SET expires_at = now() - interval '31 days'"))
    assert delete_expired(session)["sessions"] == 1


def test_old_operations_go_and_their_changes_stay(session: Session, ann: Actor) -> None:
    sheet_id = make_deals(session).sheet.sheet_id
    batch = Batch(adds=(NewRow("n", {1: CellInput("Acme")}),))
    write(session, ann, sheet_id, batch, operation_id=uuid4(), source=ChangeSource.API)
    session.execute(text("UPDATE operations SET created_at = now() - interval '91 days'"))
    write(session, ann, sheet_id, batch, operation_id=uuid4(), source=ChangeSource.API)
    assert delete_expired(session)["operations"] == 1
    assert (count(session, "operations"), count(session, "changes")) == (1, 2)


def test_emails_that_were_sent_go_after_a_month_and_those_that_wait_stay(session: Session) -> None:
    for _ in range(3):
        queue_mail(session, "notice", "ann@example.com", what="password")
    old = "UPDATE mails SET done_at = now() - interval '31 days' WHERE mail_id = (SELECT min(mail_id) FROM mails)"
    session.execute(text(old))
    session.execute(text("UPDATE mails SET created_at = now() - interval '60 days'"))
    assert delete_expired(session) == {"mails": 1}


def test_links_that_nobody_opened_and_tokens_long_over_go(session: Session, ann: Actor) -> None:
    create_token(session, ann, name="old", scope=Scope.READ, days=1)
    session.execute(text("UPDATE api_tokens SET revoked_at = now() - interval '91 days'"))
    create_token(session, ann, name="new", scope=Scope.READ, days=1)
    reset_link(session, ann.email)
    session.execute(text("UPDATE account_links SET expires_at = now() - interval '1 second'"))
    assert delete_expired(session) == {"account_links": 1, "api_tokens": 1}


def test_where_nothing_is_over_nothing_goes(session: Session, ann: Actor) -> None:
    start_session(session, ann.user_id, kind="api", address=None, user_agent="")
    assert delete_expired(session) == {}
