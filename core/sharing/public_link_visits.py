"""Opens a public link: checks its token and password, and starts a visit whose token a cookie carries.

Wrong links are limited per IP address, wrong passwords per link too: in 15 minutes, five for one address and fifty for
all new addresses together. An address that has visited the link before has a limit of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from core.access.access import NO_LINK
from core.access.link_view import VIEW_DELETED
from core.access.load import LINK_LIVES
from core.base import audit
from core.base.actor import Visitor
from core.base.errors import NotFound, Refused, Throttled
from core.base.secret_tokens import hash_token, new_token
from core.credentials.passwords import verify_password
from core.limits.login_throttle import (
    MAX_PER_LINK,
    discard_attempt,
    is_first_throttle,
    normalize_address,
    record_attempt,
)
from core.limits.rate_limits import consume
from core.mail.outbox import Transaction

VISIT_LIFETIME = "7 days"
WAIT_SECONDS = 900
THROTTLED = "sheet:link:throttle"
TOO_MANY = "Too many attempts. Try again in 15 minutes."
ENTER_PASSWORD, WRONG_PASSWORD = "Ask the sender of this link for its password.", "Wrong password. Try again."


class PasswordRequired(Refused):
    """The link is valid, but its password is missing or wrong."""


@dataclass(frozen=True)
class Visit:
    """A visit to a link; `token` is for the browser's cookie and lasts `seconds`, or None if the browser has one."""

    link_id: int
    token: str | None = None
    seconds: int = 0


def open_link(
    transaction: Transaction,
    token: str,
    *,
    password: str = "",
    address: str | None = None,
    visit_tokens: Mapping[int, str] | None = None,
) -> Visit:
    """Start a visit, or return the browser's current one; `visit_tokens` are its visits' tokens by link id.

    Raises NotFound (one message for unknown, expired and revoked links, another where the view that the link showed
    was deleted), PasswordRequired and Throttled.
    """
    ip_address = normalize_address(address)
    with transaction() as session:
        link = _live_link(session, token)
        if link and _has_visit(session, link, visit_tokens or {}):
            return Visit(link["link_id"])
        if link is None:
            consume("link", ip_address)
            raise NotFound(VIEW_DELETED if session.scalar(_HAS_LOST_VIEW, {"token": hash_token(token)}) else NO_LINK)
        if link["password_hash"] is None:
            return _start_visit(session, link, ip_address)
        if not password:
            raise PasswordRequired(ENTER_PASSWORD)
        attempt = _open_attempt(session, link["link_id"], ip_address)
        if attempt is None and is_first_throttle(session, ip_address, THROTTLED):
            facts = {"link": link["link_id"]}
            audit.record(session, None, THROTTLED, sheet_id=link["sheet_id"], address=ip_address, **facts)
    if attempt is None:
        raise Throttled(TOO_MANY, retry_after=WAIT_SECONDS)
    if not verify_password(password, link["password_hash"]):
        with transaction() as session:
            facts = {"link": link["link_id"]}
            audit.record(session, None, "sheet:link:fail", sheet_id=link["sheet_id"], address=ip_address, **facts)
        raise PasswordRequired(WRONG_PASSWORD)
    with transaction() as session:
        current = _live_link(session, token)
        # The password may have changed while the hash was computed; then the one that was checked is out of date.
        if current is None or current["password_hash"] != link["password_hash"]:
            raise NotFound(NO_LINK)
        discard_attempt(session, attempt)
        return _start_visit(session, current, ip_address)


def _open_attempt(session: Session, link_id: int, address: str) -> int | None:
    if session.scalar(_HAS_VISITED, {"link": link_id, "address": address}):
        return record_attempt(session, f"link {link_id} from {address}", address, is_known=True)
    return record_attempt(session, f"link {link_id}", address, max_failures=MAX_PER_LINK)


def _live_link(session: Session, token: str) -> RowMapping | None:
    return session.execute(_LIVE_LINK, {"token": hash_token(token)}).mappings().one_or_none()


def _has_visit(session: Session, link: Any, visit_tokens: Mapping[int, str]) -> bool:
    token = visit_tokens.get(link["link_id"])
    return bool(token and session.scalar(_HAS_VISIT, {"link": link["link_id"], "token": hash_token(token)}))


def _start_visit(session: Session, link: Any, address: str) -> Visit:
    consume("visit", address)
    token, link_id = new_token(), link["link_id"]
    row = session.execute(_START_VISIT, {"link": link_id, "token": hash_token(token), "address": address}).one()
    visitor = Visitor(link_id, link["sheet_id"], row.visit_id, address=address)
    audit.record(session, visitor, "sheet:link:open", sheet_id=link["sheet_id"])
    return Visit(link_id, token, int(row.seconds))


_LIVE_LINK = text(f"""
    SELECT p.link_id, p.sheet_id, p.password_hash FROM public_links p WHERE p.token_hash = :token AND {LINK_LIVES}
""")  # noqa: S608 - LINK_LIVES is a constant.
_HAS_LOST_VIEW = text("""
    SELECT EXISTS (
        SELECT FROM public_links p
        WHERE p.token_hash = :token AND p.revoked_at IS NULL AND (p.expires_at IS NULL OR p.expires_at > now())
          AND p.view_id IS NOT NULL AND NOT EXISTS (SELECT FROM views w WHERE w.view_id = p.view_id))
""")
_HAS_VISIT = text("""
    SELECT EXISTS (SELECT FROM link_visits WHERE link_id = :link AND token_hash = :token AND expires_at > now())
""")
_HAS_VISITED = text("""
    SELECT CAST(:address AS inet) <> '0.0.0.0' AND EXISTS (
        SELECT FROM link_visits WHERE link_id = :link AND address = CAST(:address AS inet)
    )
""")
_START_VISIT = text(f"""
    WITH used AS (
        UPDATE public_links SET last_used_at = now() WHERE link_id = :link RETURNING link_id, expires_at
    )
    INSERT INTO link_visits (visit_id, link_id, token_hash, address, expires_at)
    SELECT gen_random_uuid(), link_id, :token, CAST(:address AS inet),
           least(expires_at, now() + interval '{VISIT_LIFETIME}')
    FROM used
    RETURNING visit_id, extract(epoch FROM expires_at - now()) AS seconds
""")  # noqa: S608 - VISIT_LIFETIME is a constant.
