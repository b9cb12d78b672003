"""What the letters say: every kind can be written, and nothing that somebody typed is more than text in it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from core.accounts.invitations import invite
from core.base.actor import Actor
from core.base.permissions import Role, Scope
from core.mail.outbox import MailMessage, QueuedMail, send_due_mail
from core.mail.smtp import as_message
from core.notifications import email_templates
from core.notifications.email_templates import render_mail
from core.sign_in.api_tokens import create_token
from core.sign_in.password import change_password
from db.engine import transaction
from tests.conftest import PASSWORD

PAYLOAD = "<img src=//evil> {when} {0} **b** \u202e"
WHEN = datetime(2026, 12, 31, 9, 5, tzinfo=UTC)


class Box:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.letters: dict[str, MailMessage] = {}

    def deliver(self, recipient: str, letter: MailMessage) -> None:
        self.letters[recipient] = letter


@pytest.mark.parametrize("what", list(email_templates._NOTIFICATIONS))
def test_every_notice_says_what_happened_when_and_what_to_do(session: Session, what: str) -> None:
    facts = {"what": what, "email": "new@example.com", "name": PAYLOAD, "label": PAYLOAD}
    letter = render_mail(session, QueuedMail(1, "notice", "ann@example.com", facts, WHEN, 1))
    assert letter
    assert "2026-12-31 09:05 UTC" in letter.as_text()
    assert "If this wasn't you" in letter.as_text()
    assert "<img" not in letter.as_html()
    assert as_message(letter, sender="sales@example.com", recipient="ann@example.com")["Subject"] == letter.subject


def test_a_changed_password_and_a_new_token_are_told_to_their_person(session: Session, ann: Actor, ben: Actor) -> None:
    change_password(transaction, ann, current=PASSWORD, new="another good password")
    create_token(session, ben, name="Weekly report", scope=Scope.READ, days=1)
    box = Box()
    send_due_mail(transaction, render_mail, box)
    assert box.letters["ann@example.com"].subject == "Your password was changed"
    assert "Weekly report" in box.letters["ben@example.com"].as_text()
    assert "ctv_" not in box.letters["ben@example.com"].as_text()


def test_an_inviters_name_is_text(session: Session, ada: Actor) -> None:
    named = Actor(ada.user_id, "<a href=//evil>Ada</a>", ada.email, Role.ADMIN)
    invite(session, named, email="eve@example.com", role=Role.MEMBER, mailed_from="http://here")
    box = Box()
    send_due_mail(transaction, render_mail, box)
    assert "<a href=//evil>" not in box.letters["eve@example.com"].as_html()
    assert "&lt;a href=//evil&gt;" in box.letters["eve@example.com"].as_html()
