"""The outbox: e-mails are queued in the transaction of the change they report, and sent after its commit.

The outbox stores the kind and the facts of an e-mail. Its text, and the secret of a link in it, are created when it is
sent and never stored.
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
from core.base.pg_notify import notify_job
from db.tables.accounts import Mail

MAIL_KIND = "mail"  # The job that sends e-mails that are due.
MAX_ATTEMPTS = 80  # Finally an hour apart: no e-mail is lost if the mail server is back within three days.
FIRST_WAIT, MAX_WAIT = "30 seconds", "1 hour"
Transaction = Callable[[], AbstractContextManager[Session]]
log = get_log("contrivance.mail")


@dataclass(frozen=True)
class MailMessage:
    """The content of an e-mail: a subject, a few sentences, and at most one link."""

    subject: str
    lines: tuple[str, ...]
    link: str = field(default="", repr=False)
    button: str = ""
    after: tuple[str, ...] = ()

    def as_text(self) -> str:
        """Return the message as plain text."""
        parts = [*self.lines, *([f"{self.button}:\n{self.link}"] if self.link else []), *self.after]
        return "\n\n".join(parts) + "\n"

    def as_html(self) -> str:
        """Return the message as HTML that loads nothing, with all text escaped."""
        parts = [f"<p>{escape(line)}</p>" for line in self.lines]
        if self.link:
            parts.append(f'<p><a href="{escape(self.link)}">{escape(self.button)}</a></p>')
        parts += [f'<p style="color:#555">{escape(line)}</p>' for line in self.after]
        return f'<html><body style="font-family:sans-serif;line-height:1.5">{"".join(parts)}</body></html>'


@dataclass(frozen=True)
class QueuedMail:
    """An e-mail in the outbox: its kind, its facts and its recipient."""

    mail_id: int
    kind: str
    recipient: str
    facts: dict[str, Any]
    created_at: datetime
    attempts: int


class NotDelivered(Exception):
    """The mail server rejected an e-mail. `final`: trying again cannot help."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class Transport(Protocol):
    """Delivers e-mails: to a mail server, or to the console."""

    def deliver(self, recipient: str, message: MailMessage) -> None:
        """Deliver one e-mail. Raises NotDelivered."""


Render = Callable[[Session, QueuedMail], MailMessage | None]  # None: the e-mail is not needed any more.


def queue_mail(session: Session, kind: str, recipient: str, **facts: Any) -> None:
    """Queue an e-mail that is sent after the caller's transaction commits. The facts must not hold secrets."""
    session.add(Mail(kind=kind, recipient=recipient, facts=facts))
    session.flush()
    notify_job(session, MAIL_KIND)


def send_due_mail(transaction: Transaction, render: Render, transport: Transport, *, limit: int = 50) -> int:
    """Send e-mails that are due and return their number. Several processes can send; each e-mail is sent once."""
    for number in range(limit):
        with transaction() as session:
            mail = _take_next(session)
        if mail is None:
            return number
        _send(transaction, mail, render, transport)
    return limit


def _send(transaction: Transaction, mail: QueuedMail, render: Render, transport: Transport) -> None:
    """Render, send and mark one e-mail. No transaction is open while the mail server is contacted."""
    try:
        with transaction() as session:
            message = render(session, mail)
        if message is not None:
            transport.deliver(mail.recipient, message)
    except NotDelivered as failure:
        _record_failure(transaction, mail, failure)
        return
    with transaction() as session:
        session.execute(_DONE, {"id": mail.mail_id, "outcome": "sent" if message else "not needed"})


def _record_failure(transaction: Transaction, mail: QueuedMail, failure: NotDelivered) -> None:
    is_final = failure.final or mail.attempts >= MAX_ATTEMPTS
    (log.error if is_final else log.warning)(
        "mail.given_up" if is_final else "mail.waits", kind=mail.kind, reason=failure.reason, attempts=mail.attempts
    )
    if is_final:
        with transaction() as session:
            session.execute(_DONE, {"id": mail.mail_id, "outcome": f"given up: {failure.reason}"})


def _take_next(session: Session) -> QueuedMail | None:
    """Return the e-mail that is due for the longest time, and postpone its next attempt."""
    row = session.execute(_TAKE).mappings().one_or_none()
    return QueuedMail(**row) if row else None


_TAKE = text(f"""
    UPDATE mails SET attempts = attempts + 1,
        next_try_at = now() + least(interval '{MAX_WAIT}', interval '{FIRST_WAIT}' * power(2, least(attempts, 10)))
    WHERE mail_id = (
        SELECT mail_id FROM mails WHERE done_at IS NULL AND next_try_at <= now()
        ORDER BY next_try_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING mail_id, kind, recipient, facts, created_at, attempts
""")  # noqa: S608 - constants of this module.
_DONE = text("UPDATE mails SET done_at = now(), outcome = :outcome WHERE mail_id = :id")
