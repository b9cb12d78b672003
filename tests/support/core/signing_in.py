"""How the tests sign somebody in."""

import re
from collections.abc import Callable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base.actor import Actor
from core.credentials.access_tokens import TokenPair, refresh_tokens
from core.credentials.sessions import start_session
from core.mail.outbox import MailMessage
from core.sign_in.password import sign_in
from db.engine import transaction
from tests.conftest import PASSWORD

KEY = "a key of at least thirty-two bytes, surely"
HOME = "192.0.2.7"
Post = Callable[[], list[tuple[str, MailMessage]]]  # Send what waits: whom it reached, and what it said.


def attempt(email: str, password: str = PASSWORD, address: str = HOME, device: str = "") -> int | None:
    """The id of whoever signs in, None where the attempt is refused."""
    return sign_in(
        transaction,
        email,
        password,
        address=address,
        grant=lambda _, user_id: user_id,
        without_code=lambda *_: None,
        device=device,
    )


def signed_in(session: Session, who: Actor) -> tuple[UUID, str]:
    return start_session(session, who.user_id, kind="browser", address=HOME, user_agent="Firefox/1")


def refreshed(session: Session, pair: TokenPair, *, address: str = HOME, user_agent: str = "x") -> TokenPair | None:
    return refresh_tokens(session, pair.refresh_token, key=KEY, address=address, user_agent=user_agent)


def actions(session: Session) -> list[str]:
    """What the audit trail tells, in its order."""
    return list(session.scalars(text("SELECT action FROM audit_events ORDER BY event_id")))


def token_in(letter: MailMessage) -> str:
    found = re.search(r"=([\w-]{43})$", letter.link)
    assert found, letter.link
    return found[1]
