"""Letters: put into the outbox with the change that they tell of, sent after it by whichever process is first.

The outbox says what a letter is about. Its text, and the secret of a link in it, are made as it is sent and never kept.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base.logs import get_log
from core.base.notify import notify_job
from db.tables.accounts import Mail

MAIL_KIND = "mail"  # Of the job that sends what is due.
MOST_ATTEMPTS = 80  # An hour apart in the end: a mail server that is back within three days gets everything.
FIRST_WAIT, LONGEST_WAIT = "30 seconds", "1 hour"
Transaction = Callable[[], AbstractContextManager[Session]]
log = get_log("contrivance.mail")


@dataclass(frozen=True)
class Letter:
    """What a person reads: a subject, a few sentences, and at most one link."""

    subject: str
    lines: tuple[str, ...]
    link: str = field(default="", repr=False)
    button: str = ""
    after: tuple[str, ...] = ()

    def as_text(self) -> str:
        """The letter as plain text."""
        parts = [*self.lines, *([f"{self.button}:\n{self.link}"] if self.link else []), *self.after]
        return "\n\n".join(parts) + "\n"

    def as_html(self) -> str:
        """The letter as plain HTML, which loads nothing and shows other people's text as text."""
        parts = [f"<p>{escape(line)}</p>" for line in self.lines]
        if self.link:
            parts.append(f'<p><a href="{escape(self.link)}">{escape(self.button)}</a></p>')
        parts += [f'<p style="color:#555">{escape(line)}</p>' for line in self.after]
        return f'<html><body style="font-family:sans-serif;line-height:1.5">{"".join(parts)}</body></html>'


@dataclass(frozen=True)
class Order:
    """A letter that waits: what it is about, and for whom."""

    mail_id: int
    kind: str
    recipient: str
    facts: dict[str, Any]
    created_at: datetime
    attempts: int


class NotDelivered(Exception):
    """The mail server did not take a letter. `final`: it never will."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class Post(Protocol):
    """Whoever takes letters: a mail server, or the console."""

    def deliver(self, recipient: str, letter: Letter) -> None:
        """Take one letter, or raise NotDelivered."""


def order_letter(session: Session, kind: str, recipient: str, **facts: Any) -> None:
    """Have a letter sent once the caller's transaction has committed. The facts hold no secret."""
    session.add(Mail(kind=kind, recipient=recipient, facts=facts))
    session.flush()
    notify_job(session, MAIL_KIND)


def send_letters(
    transaction: Transaction, compose: Callable[[Session, Order], Letter | None], post: Post, *, most: int = 50
) -> int:
    """Send what is due, each letter once however many processes send: how many were taken from the outbox."""
    for number in range(most):
        with transaction() as session:
            order = _taken(session)
        if order is None:
            return number
        _send(transaction, order, compose, post)
    return most


def _send(
    transaction: Transaction, order: Order, compose: Callable[[Session, Order], Letter | None], post: Post
) -> None:
    """Write, send and strike off one letter; the mail server is waited for outside of any transaction."""
    try:
        with transaction() as session:
            letter = compose(session, order)
        if letter is not None:
            post.deliver(order.recipient, letter)
    except NotDelivered as failure:
        _failed(transaction, order, failure)
        return
    with transaction() as session:
        session.execute(_DONE, {"id": order.mail_id, "outcome": "sent" if letter else "not needed"})


def _failed(transaction: Transaction, order: Order, failure: NotDelivered) -> None:
    given_up = failure.final or order.attempts >= MOST_ATTEMPTS
    (log.error if given_up else log.warning)(
        "mail.given_up" if given_up else "mail.waits", kind=order.kind, reason=failure.reason, attempts=order.attempts
    )
    if given_up:
        with transaction() as session:
            session.execute(_DONE, {"id": order.mail_id, "outcome": f"given up: {failure.reason}"})


def _taken(session: Session) -> Order | None:
    """The letter that waits longest. Taking it puts its next attempt off, whatever becomes of this one."""
    found = session.execute(_TAKE).mappings().one_or_none()
    return Order(**found) if found else None


_TAKE = text(f"""
    UPDATE mails SET attempts = attempts + 1,
        next_try_at = now() + least(interval '{LONGEST_WAIT}', interval '{FIRST_WAIT}' * power(2, least(attempts, 10)))
    WHERE mail_id = (
        SELECT mail_id FROM mails WHERE done_at IS NULL AND next_try_at <= now()
        ORDER BY next_try_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING mail_id, kind, recipient, facts, created_at, attempts
""")  # noqa: S608 - constants of this module.
_DONE = text("UPDATE mails SET done_at = now(), outcome = :outcome WHERE mail_id = :id")
