"""Public links: whoever has one reads a sheet, as nobody. Made, listed, changed and revoked by the sheet's owner."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import LINK_LIVES, get_access
from core.accounts.accounts import clean_name
from core.base import audit
from core.base.actor import Actor, Visitor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.notify import notice_sheet_rights
from core.base.permissions import Permission
from core.base.secret_tokens import hashed, new_token
from core.credentials.passwords import hash_password
from core.limits.login_throttle import plain_address

MOST_LINKS = 50
MOST_DAYS = 366
HINT = 6  # Characters that are shown of a token later: enough to tell it from others, too few to guess it.
NO_SUCH = "There is no such link of this sheet."


class Wishes(TypedDict, total=False):
    """What a link shall be. `password` and `days` (from now) may be None: without one, without an end."""

    name: str
    password: str | None
    days: int | None
    may_export: bool


_DEFAULTS: Wishes = {"name": "Public link", "password": None, "days": None, "may_export": False}


@dataclass(frozen=True)
class LinkInfo:
    """A link, as the sheet's owner sees it in the list. The link itself is never seen again."""

    link_id: int
    name: str
    hint: str
    has_password: bool
    may_export: bool
    by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    lives: bool


def public_links(session: Session, actor: Actor, sheet_id: int) -> list[LinkInfo]:
    """The sheet's links that nobody has revoked, the newest first; `lives` is false for one that opens nothing now."""
    get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    return [LinkInfo(**found) for found in session.execute(_LISTED, {"sheet": sheet_id}).mappings()]


def create_link(session: Session, actor: Actor, sheet_id: int, **wishes: Unpack[Wishes]) -> tuple[int, str]:
    """A new link: its number, and the token that stands in it, which is told this once and stored as a hash."""
    access = get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    if access.sheet.archived_at is not None:
        raise NotAllowed(f"“{access.sheet.name}” is archived. Restore it first.")
    if len(public_links(session, actor, sheet_id)) >= MOST_LINKS:
        raise Invalid(f"This sheet has {MOST_LINKS} links. Revoke one that nobody needs.")
    token, wanted = new_token(), _checked({**_DEFAULTS, **wishes})
    made = {"sheet": sheet_id, "user": actor.user_id, "hint": token[:HINT], "token": hashed(token)}
    link_id: int = session.execute(_MAKE, wanted | made).scalar_one()
    audit.record(session, actor, "sheet:link:create", sheet_id=sheet_id, link=link_id, **_told(wanted))
    return link_id, token


def change_link(session: Session, actor: Actor, sheet_id: int, link_id: int, **wishes: Unpack[Wishes]) -> None:
    """Change what is named and nothing else. With a new password, whoever has the link open must give it."""
    get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    wanted = _checked(wishes)
    named = {f"has_{name}": name in wanted for name in Wishes.__annotations__}
    nothing = dict.fromkeys(Wishes.__annotations__)
    if session.scalar(_CHANGE, nothing | wanted | named | {"sheet": sheet_id, "link": link_id}) is None:
        raise NotFound(NO_SUCH, link=link_id)
    if wanted.get("password"):
        session.execute(_END_VISITS, {"link": link_id})
    notice_sheet_rights(session, sheet_id)
    audit.record(session, actor, "sheet:link:change", sheet_id=sheet_id, link=link_id, **_told(wanted))


def revoke_link(session: Session, actor: Actor, sheet_id: int, link_id: int) -> None:
    """End a link at once, for everybody who has it open."""
    get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    name = session.scalar(_REVOKE, {"sheet": sheet_id, "link": link_id})
    if name is None:
        raise NotFound(NO_SUCH, link=link_id)
    session.execute(_END_VISITS, {"link": link_id})
    notice_sheet_rights(session, sheet_id)
    audit.record(session, actor, "sheet:link:revoke", sheet_id=sheet_id, link=link_id, name=name)


def visitor_of(
    session: Session, visits: str, link_id: int, *, address: str | None = None, seen: bool = False
) -> Visitor | None:
    """Who visits by this link, by the visits that the request brings (ids, with commas between); None where it ended.

    `seen` notes that the link is in use, at most once a minute: for short transactions.
    """
    parameters = {"visits": _ids(visits), "link": link_id}
    found = session.execute(_VISITOR, parameters).mappings().one_or_none() if parameters["visits"] else None
    if found is None:
        return None
    if seen:
        session.execute(_SEEN, {"visit": found["visit_id"], "link": link_id})
    return Visitor(**found, address=plain_address(address) if address else None)


def visits_of_tokens(session: Session, tokens: list[str]) -> list[UUID]:
    """The visits that these cookies stand for, in a lasting order. Whether their links still live is asked later."""
    return list(session.scalars(_BY_TOKENS, {"tokens": [hashed(token) for token in tokens]}))


def _checked(wishes: Wishes) -> dict[str, Any]:
    """What was wished, as it is stored. Raises Invalid."""
    checked: dict[str, Any] = dict(wishes)
    if "name" in wishes:
        checked["name"] = clean_name(wishes["name"])
    if (days := wishes.get("days")) is not None and not 1 <= days <= MOST_DAYS:
        raise Invalid(f"A link lives from one day to {MOST_DAYS} days, or without an end.")
    if (password := wishes.get("password")) is not None:
        checked["password"] = hash_password(password)
    return checked


def _told(wanted: dict[str, Any]) -> dict[str, Any]:
    """What the audit trail is told: of a password only whether there is one."""
    return wanted | ({"password": wanted["password"] is not None} if "password" in wanted else {})


def _ids(visits: str) -> list[UUID]:
    try:
        return [UUID(visit) for visit in visits.split(",") if visit]
    except ValueError:
        return []


_LISTED = text(f"""
    SELECT p.link_id, p.name, p.hint, p.password_hash IS NOT NULL AS has_password, p.may_export, u.name AS by,
           p.created_at, p.expires_at, p.last_used_at, {LINK_LIVES} AS lives
    FROM public_links p JOIN users u ON u.user_id = p.created_by
    WHERE p.sheet_id = :sheet AND p.revoked_at IS NULL ORDER BY p.created_at DESC, p.link_id DESC
""")  # noqa: S608 - a constant of core.access.
_MAKE = text("""
    INSERT INTO public_links (sheet_id, name, hint, token_hash, password_hash, may_export, created_by, expires_at)
    VALUES (:sheet, :name, :hint, :token, :password, :may_export, :user,
            now() + make_interval(days => CAST(:days AS integer)))
    RETURNING link_id
""")
_CHANGE = text("""
    UPDATE public_links SET
        name = CASE WHEN :has_name THEN :name ELSE name END,
        password_hash = CASE WHEN :has_password THEN :password ELSE password_hash END,
        may_export = CASE WHEN :has_may_export THEN CAST(:may_export AS boolean) ELSE may_export END,
        expires_at = CASE WHEN :has_days THEN now() + make_interval(days => CAST(:days AS integer)) ELSE expires_at END
    WHERE link_id = :link AND sheet_id = :sheet AND revoked_at IS NULL RETURNING link_id
""")
_REVOKE = text("""
    UPDATE public_links SET revoked_at = now()
    WHERE link_id = :link AND sheet_id = :sheet AND revoked_at IS NULL RETURNING name
""")
_END_VISITS = text("DELETE FROM link_visits WHERE link_id = :link")
_VISITOR = text(f"""
    SELECT v.visit_id, p.link_id, p.sheet_id, p.may_export, least(v.expires_at, p.expires_at) AS ends_at
    FROM link_visits v JOIN public_links p USING (link_id)
    WHERE v.visit_id = ANY(:visits) AND p.link_id = :link AND v.expires_at > now() AND {LINK_LIVES}
    LIMIT 1
""")  # noqa: S608 - the same.
_SEEN = text("""
    WITH stale AS (
        SELECT v.visit_id FROM link_visits v
        WHERE v.visit_id = :visit AND v.last_seen_at < now() - interval '1 minute' FOR NO KEY UPDATE SKIP LOCKED
    ), seen AS (
        UPDATE link_visits v SET last_seen_at = now() FROM stale WHERE v.visit_id = stale.visit_id
    )
    UPDATE public_links SET last_used_at = now() WHERE link_id = (
        SELECT p.link_id FROM public_links p WHERE p.link_id = :link AND EXISTS (SELECT FROM stale)
        FOR NO KEY UPDATE SKIP LOCKED
    )
""")
_BY_TOKENS = text("""
    SELECT visit_id FROM link_visits WHERE token_hash = ANY(:tokens) AND expires_at > now() ORDER BY visit_id
""")
