"""Authentication of requests, by the cookie's session (which the middleware looks up) or by an access token.

Routes that accept any Principal also accept visitors of public links; all others answer them 401.
"""

from collections.abc import Mapping

from fastapi import HTTPException
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from core.access.access import NO_LINK
from core.access.load import enter
from core.base.actor import Actor, Principal
from core.config.settings import settings
from core.credentials.access_tokens import session_of_access_token
from core.credentials.sessions import actor_of_session
from core.sharing.public_links import visitor_of
from core.sign_in.api_tokens import actor_of_token, is_token
from db.engine import transaction

SESSION_HEADER, VISIT_HEADER, LINK_HEADER = "x-contrivance-session", "x-contrivance-visit", "x-contrivance-link"


class NotSignedIn(HTTPException):
    """The request has no credentials, or its session has ended."""

    def __init__(self) -> None:
        super().__init__(
            401, "You are not signed in, or your session has ended. Sign in.", {"WWW-Authenticate": "Bearer"}
        )


class LinkExpired(HTTPException):
    """A request for a public link without a valid visit of it."""

    def __init__(self) -> None:
        super().__init__(401, NO_LINK)


def current_actor(connection: HTTPConnection) -> Actor:
    """The signed-in user of this request. The session's row is read each time, so revocation works at once."""
    with transaction() as session:
        address = connection.client.host if connection.client else None
        return actor_of(session, connection.headers, address=address, only_reads=reads_only(connection))


def current_principal(connection: HTTPConnection) -> Principal:
    """The signed-in user of this request, or the visitor of a public link."""
    with transaction() as session:
        address = connection.client.host if connection.client else None
        return principal_of(session, connection.headers, address=address, only_reads=reads_only(connection))


def reads_only(connection: HTTPConnection) -> bool:
    """Whether this request can't write. A GET never writes."""
    return connection.scope.get("method") in {"GET", "HEAD"}


def actor_of(
    session: Session,
    headers: Mapping[str, str],
    *,
    address: str | None = None,
    sheet: int | None = None,
    only_reads: bool = False,
) -> Actor:
    """The user whom the headers authenticate. Raises NotSignedIn. `sheet` is the sheet that the request is about.

    A read-only personal token is refused unless the request `only_reads`.
    """
    if LINK_HEADER in headers:  # A visitor of a link is anonymous here, even with other credentials.
        raise NotSignedIn
    bearer = _bearer(headers)
    if is_token(bearer):
        actor = actor_of_token(session, bearer, address=address, only_reads=only_reads)
    else:
        session_id = session_id_of(headers)
        actor = _actor(session, session_id, address, sheet) if session_id else None
    if actor is None:
        raise NotSignedIn
    return actor


def session_id_of(headers: Mapping[str, str]) -> str:
    """The session id of the cookie or access token in the headers; empty without one, and for requests of a link."""
    if LINK_HEADER in headers:
        return ""
    if session_id := headers.get(SESSION_HEADER):
        return session_id
    bearer = _bearer(headers)
    session_id_in_token = session_of_access_token(bearer, key=token_key()) if bearer and not is_token(bearer) else None
    return str(session_id_in_token) if session_id_in_token else ""


def principal_of(
    session: Session,
    headers: Mapping[str, str],
    *,
    address: str | None = None,
    sheet: int | None = None,
    only_reads: bool = False,
) -> Principal:
    """The signed-in user or, for a request of a public link, its visitor. Raises NotSignedIn or LinkExpired."""
    if LINK_HEADER not in headers:
        return actor_of(session, headers, address=address, sheet=sheet, only_reads=only_reads)
    visitor = visitor_of(session, headers.get(VISIT_HEADER, ""), int(headers[LINK_HEADER]), address=address)
    if visitor is None or not only_reads:
        raise LinkExpired
    return visitor


def _actor(session: Session, session_id: str, address: str | None, sheet: int | None) -> Actor | None:
    if sheet is None:
        return actor_of_session(session, session_id, address=address)
    return enter(session, session_id, sheet, address=address)


def _bearer(headers: Mapping[str, str]) -> str:
    """The token of the Authorization header; empty if the middleware has found a session, which takes precedence."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and not headers.get(SESSION_HEADER) else ""


def token_key() -> str:
    """The key that signs access tokens only."""
    return settings().derived_key("access tokens")
