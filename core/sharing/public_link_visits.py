"""Opening a public link: its token, and its password where it has one, become a visit, whose token a cookie holds.

Guesses at links are counted by address, guesses at a password by its link as well. In a quarter of an hour one address
has five wrong passwords, all newcomers together fifty; an address that was here before is counted by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from core.access.access import LINK_LIVES, NO_LINK
from core.base import audit
from core.base.actor import Visitor
from core.base.errors import NotFound, Refused, Throttled
from core.base.secret_tokens import hashed, new_token
from core.credentials.passwords import is_right
from core.limits.login_throttle import PER_LINK, close_attempt, is_news, open_attempt, plain_address
from core.limits.rate_limits import demand
from core.mail.outbox import Transaction

VISIT = "7 days"
WAIT_SECONDS = 900
THROTTLED = "sheet:link:throttle"
TOO_MANY = "Too many attempts. Wait a quarter of an hour, then try again."
ASKS, WRONG = "Whoever sent you this link has its password.", "This is not the password. Try again."


class WantsPassword(Refused):
    """The link is right and has a password, which was not given or was another."""


@dataclass(frozen=True)
class Opened:
    """A visit: its link, the cookie's token and for how many seconds; no token where the browser has one already."""

    link_id: int
    token: str | None = None
    seconds: int = 0


def open_link(
    transaction: Transaction,
    token: str,
    *,
    password: str = "",
    address: str | None = None,
    held: Mapping[int, str] | None = None,
) -> Opened:
    """Visit by a link. `held` are the tokens of visits that this browser has, by link: it needs no second one.

    Raises NotFound (the same for whatever never was or is no more), WantsPassword and Throttled.
    """
    where = plain_address(address)
    with transaction() as session:
        link = _live(session, token)
        if link and _has_visit(session, link, held or {}):
            return Opened(link["link_id"])
        if link is None:
            demand("link", where)
            raise NotFound(NO_LINK)
        if link["password_hash"] is None:
            return _visit(session, link, where)
        if not password:
            raise WantsPassword(ASKS)
        attempt = _open_attempt(session, link["link_id"], where)
        if attempt is None and is_news(session, where, THROTTLED):
            facts = {"link": link["link_id"]}
            audit.record(session, None, THROTTLED, sheet_id=link["sheet_id"], address=where, **facts)
    if attempt is None:
        raise Throttled(TOO_MANY, retry_after=WAIT_SECONDS)
    if not is_right(password, link["password_hash"]):
        with transaction() as session:
            facts = {"link": link["link_id"]}
            audit.record(session, None, "sheet:link:fail", sheet_id=link["sheet_id"], address=where, **facts)
        raise WantsPassword(WRONG)
    with transaction() as session:
        now = _live(session, token)
        # The password may have been changed while the hash was computed: then it was the old one.
        if now is None or now["password_hash"] != link["password_hash"]:
            raise NotFound(NO_LINK)
        close_attempt(session, attempt)
        return _visit(session, now, where)


def _open_attempt(session: Session, link_id: int, address: str) -> int | None:
    if session.scalar(_WAS_HERE, {"link": link_id, "address": address}):
        return open_attempt(session, f"link {link_id} from {address}", address, is_known=True)
    return open_attempt(session, f"link {link_id}", address, most=PER_LINK)


def _live(session: Session, token: str) -> RowMapping | None:
    return session.execute(_LIVE, {"token": hashed(token)}).mappings().one_or_none()


def _has_visit(session: Session, link: Any, held: Mapping[int, str]) -> bool:
    token = held.get(link["link_id"])
    return bool(token and session.scalar(_HELD, {"link": link["link_id"], "token": hashed(token)}))


def _visit(session: Session, link: Any, address: str) -> Opened:
    demand("visit", address)
    token, link_id = new_token(), link["link_id"]
    made = session.execute(_VISIT, {"link": link_id, "token": hashed(token), "address": address}).one()
    visitor = Visitor(link_id, link["sheet_id"], made.visit_id, address=address)
    audit.record(session, visitor, "sheet:link:open", sheet_id=link["sheet_id"])
    return Opened(link_id, token, int(made.seconds))


_LIVE = text(f"""
    SELECT p.link_id, p.sheet_id, p.password_hash FROM public_links p WHERE p.token_hash = :token AND {LINK_LIVES}
""")  # noqa: S608 - a constant of core.access.
_HELD = text("""
    SELECT EXISTS (SELECT FROM link_visits WHERE link_id = :link AND token_hash = :token AND expires_at > now())
""")
_WAS_HERE = text("""
    SELECT CAST(:address AS inet) <> '0.0.0.0' AND EXISTS (
        SELECT FROM link_visits WHERE link_id = :link AND address = CAST(:address AS inet)
    )
""")
_VISIT = text(f"""
    WITH used AS (
        UPDATE public_links SET last_used_at = now() WHERE link_id = :link RETURNING link_id, expires_at
    )
    INSERT INTO link_visits (visit_id, link_id, token_hash, address, expires_at)
    SELECT gen_random_uuid(), link_id, :token, CAST(:address AS inet), least(expires_at, now() + interval '{VISIT}')
    FROM used
    RETURNING visit_id, extract(epoch FROM expires_at - now()) AS seconds
""")  # noqa: S608 - the constant above.
