"""Public links, by which people without an account read a sheet: create, list, change, revoke, and check a visit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import NO_LINK, Access
from core.access.link_view import VIEW_DELETED
from core.access.load import LINK_LIVES, get_access
from core.accounts.accounts import clean_name
from core.base import audit
from core.base.actor import Actor, Visitor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import Permission
from core.base.pg_notify import notify_sheet_rights
from core.base.secret_tokens import hash_token, new_token
from core.credentials.passwords import hash_password
from core.limits.login_throttle import normalize_address

MAX_LINKS = 50
MAX_DAYS = 366
HINT_LENGTH = 6  # Characters of a token that the list shows: enough to recognise it, too few to guess it.
NO_SUCH_LINK = "This sheet doesn't have this link."


class LinkOptions(TypedDict, total=False):
    """Options of a link. None means: no `password`, no expiry in `days` from now, the whole sheet as `view`."""

    name: str
    password: str | None
    days: int | None
    may_export: bool
    view: int | None


_DEFAULTS: LinkOptions = {"name": "Public link", "password": None, "days": None, "may_export": False, "view": None}


@dataclass(frozen=True)
class LinkInfo:
    """A link in the owner's list. Its token is shown only once, when it is created.

    `view_name` is None where the link shows the whole sheet, and where its view was deleted.
    """

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
    view: int | None
    view_name: str | None


def public_links(session: Session, actor: Actor, sheet_id: int) -> list[LinkInfo]:
    """Return the sheet's links that are not revoked, newest first; `lives` is false for one that doesn't work now."""
    get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    return [LinkInfo(**row) for row in session.execute(_LIST, {"sheet": sheet_id}).mappings()]


def create_link(session: Session, actor: Actor, sheet_id: int, **options: Unpack[LinkOptions]) -> tuple[int, str]:
    """Create a link and return its id and token; only the token's hash is stored. Raises Invalid and NotAllowed."""
    access = get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    if access.sheet.archived_at is not None:
        raise NotAllowed(f"“{access.sheet.name}” is archived. Restore it first.")
    if len(public_links(session, actor, sheet_id)) >= MAX_LINKS:
        raise Invalid(f"A sheet can have at most {MAX_LINKS} links. Revoke one first.")
    token, values = new_token(), _checked(session, access, {**_DEFAULTS, **options})
    keys = {"sheet": sheet_id, "user": actor.user_id, "hint": token[:HINT_LENGTH], "token": hash_token(token)}
    link_id: int = session.execute(_CREATE, values | keys).scalar_one()
    audit.record(session, actor, "sheet:link:create", sheet_id=sheet_id, link=link_id, **_facts(values))
    return link_id, token


def change_link(session: Session, actor: Actor, sheet_id: int, link_id: int, **options: Unpack[LinkOptions]) -> None:
    """Change the given options only. A new password ends all open visits. Raises NotFound and Invalid."""
    access = get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    values = _checked(session, access, options)
    is_given = {f"has_{name}": name in values for name in LinkOptions.__annotations__}
    empty = dict.fromkeys(LinkOptions.__annotations__)
    if session.scalar(_CHANGE, empty | values | is_given | {"sheet": sheet_id, "link": link_id}) is None:
        raise NotFound(NO_SUCH_LINK, link=link_id)
    if values.get("password"):
        session.execute(_END_VISITS, {"link": link_id})
    notify_sheet_rights(session, sheet_id)
    audit.record(session, actor, "sheet:link:change", sheet_id=sheet_id, link=link_id, **_facts(values))


def revoke_link(session: Session, actor: Actor, sheet_id: int, link_id: int) -> None:
    """Revoke a link and end all its visits. Raises NotFound."""
    get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    name = session.scalar(_REVOKE, {"sheet": sheet_id, "link": link_id})
    if name is None:
        raise NotFound(NO_SUCH_LINK, link=link_id)
    session.execute(_END_VISITS, {"link": link_id})
    notify_sheet_rights(session, sheet_id)
    audit.record(session, actor, "sheet:link:revoke", sheet_id=sheet_id, link=link_id, name=name)


def visitor_of(
    session: Session, visits: str, link_id: int, *, address: str | None = None, mark_used: bool = False
) -> Visitor | None:
    """Return the link's visitor from the request's visit ids (comma-separated), or None if the visit has ended.

    `mark_used` updates the time of last use, at most once a minute. Use it in short transactions only.
    """
    parameters = {"visits": _visit_ids(visits), "link": link_id}
    row = session.execute(_VISITOR, parameters).mappings().one_or_none() if parameters["visits"] else None
    if row is None:
        return None
    if mark_used:
        session.execute(_MARK_USED, {"visit": row["visit_id"], "link": link_id})
    return Visitor(**row, address=normalize_address(address) if address else None)


def reason_of_end(session: Session, visits: str, link_id: int) -> str:
    """Return why a link shows nothing to a browser that has visited it: its view was deleted, or it has ended."""
    parameters = {"visits": _visit_ids(visits), "link": link_id}
    return VIEW_DELETED if session.scalar(_HAS_LOST_VIEW, parameters) else NO_LINK


def visits_of_tokens(session: Session, tokens: list[str]) -> list[UUID]:
    """Return the ids of the visits with these cookie tokens, in a stable order. Does not check their links."""
    return list(session.scalars(_BY_TOKENS, {"tokens": [hash_token(token) for token in tokens]}))


def _checked(session: Session, access: Access, options: LinkOptions) -> dict[str, Any]:
    """Return the options as stored values. Raises Invalid."""
    values: dict[str, Any] = dict(options)
    if (view := options.get("view")) is not None:
        keys = {"sheet": access.sheet.sheet_id, "view": view, "user": access.actor.user_id}
        if session.scalar(_LOCK_VIEW, keys) is None:
            raise Invalid("This view does not exist, or it is not yours. Choose another one for the link.", view=view)
    if "name" in options:
        values["name"] = clean_name(options["name"])
    if (days := options.get("days")) is not None and not 1 <= days <= MAX_DAYS:
        raise Invalid(f"A link expires after 1 to {MAX_DAYS} days, or never.")
    if (password := options.get("password")) is not None:
        values["password"] = hash_password(password)
    return values


def _facts(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values for the audit trail, with only whether there is a password."""
    return values | ({"password": values["password"] is not None} if "password" in values else {})


def _visit_ids(visits: str) -> list[UUID]:
    try:
        return [UUID(visit) for visit in visits.split(",") if visit]
    except ValueError:
        return []


_LIST = text(f"""
    SELECT p.link_id, p.name, p.hint, p.password_hash IS NOT NULL AS has_password, p.may_export, u.name AS by,
           p.created_at, p.expires_at, p.last_used_at, {LINK_LIVES} AS lives, p.view_id AS view, w.name AS view_name
    FROM public_links p JOIN users u ON u.user_id = p.created_by LEFT JOIN views w ON w.view_id = p.view_id
    WHERE p.sheet_id = :sheet AND p.revoked_at IS NULL ORDER BY p.created_at DESC, p.link_id DESC
""")  # noqa: S608 - LINK_LIVES is a constant.
_CREATE = text("""
    INSERT INTO public_links
        (sheet_id, name, hint, token_hash, password_hash, may_export, view_id, created_by, expires_at)
    VALUES (:sheet, :name, :hint, :token, :password, :may_export, :view, :user,
            now() + make_interval(days => CAST(:days AS integer)))
    RETURNING link_id
""")
_CHANGE = text("""
    UPDATE public_links SET
        name = CASE WHEN :has_name THEN :name ELSE name END,
        password_hash = CASE WHEN :has_password THEN :password ELSE password_hash END,
        may_export = CASE WHEN :has_may_export THEN CAST(:may_export AS boolean) ELSE may_export END,
        view_id = CASE WHEN :has_view THEN CAST(:view AS bigint) ELSE view_id END,
        expires_at = CASE WHEN :has_days THEN now() + make_interval(days => CAST(:days AS integer)) ELSE expires_at END
    WHERE link_id = :link AND sheet_id = :sheet AND revoked_at IS NULL RETURNING link_id
""")
# The lock lets the view not be deleted, or become somebody else's, before the link is there.
_LOCK_VIEW = text("""
    SELECT view_id FROM views
    WHERE sheet_id = :sheet AND view_id = :view AND (owner_id IS NULL OR owner_id = :user) FOR SHARE
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
""")  # noqa: S608 - LINK_LIVES is a constant.
_HAS_LOST_VIEW = text("""
    SELECT EXISTS (
        SELECT FROM link_visits v JOIN public_links p USING (link_id)
        WHERE v.visit_id = ANY(:visits) AND p.link_id = :link AND v.expires_at > now() AND p.revoked_at IS NULL
          AND p.view_id IS NOT NULL AND NOT EXISTS (SELECT FROM views w WHERE w.view_id = p.view_id))
""")
_MARK_USED = text("""
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
