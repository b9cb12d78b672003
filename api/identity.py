"""Who asks: the Actor behind a request, by the cookie's session (which the middleware found) or by an access token."""

from collections.abc import Mapping

from fastapi import HTTPException
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from core.actor import Actor
from core.api_tokens import actor_of_token, is_token
from core.entering import enter
from core.sessions import actor_of_session
from core.settings import settings
from core.tokens import session_of_access_token
from db.engine import transaction

SESSION_HEADER = "x-contrivance-session"


class NotSignedIn(HTTPException):
    """Nobody, or somebody whose session has ended."""

    def __init__(self) -> None:
        super().__init__(401, "Sign in first, or again: your session has ended.", {"WWW-Authenticate": "Bearer"})


def current_actor(connection: HTTPConnection) -> Actor:
    """The signed-in person of this request. The session's row is read each time: ended is ended."""
    with transaction() as session:
        address = connection.client.host if connection.client else None
        return actor_of(session, connection.headers, address=address, only_reads=reads_only(connection))


def reads_only(connection: HTTPConnection) -> bool:
    """Whether this request can write nothing: a GET never acts."""
    return connection.scope.get("method") in {"GET", "HEAD"}


def actor_of(
    session: Session,
    headers: Mapping[str, str],
    *,
    address: str | None = None,
    sheet: int | None = None,
    only_reads: bool = False,
) -> Actor:
    """The person whom the headers speak for. Raises NotSignedIn. `sheet`: where they go on to.

    Unless told that the request `only_reads`, a personal token that may only read is refused: nobody forgets to ask.
    """
    bearer = _bearer(headers)
    if is_token(bearer):
        actor = actor_of_token(session, bearer, address=address, only_reads=only_reads)
    else:
        session_id = session_of(headers)
        actor = _actor(session, session_id, address, sheet) if session_id else None
    if actor is None:
        raise NotSignedIn
    return actor


def session_of(headers: Mapping[str, str]) -> str:
    """The session that the headers name, by cookie or access token; empty where they name none."""
    if session_id := headers.get(SESSION_HEADER):
        return session_id
    bearer = _bearer(headers)
    found = session_of_access_token(bearer, key=token_key()) if bearer and not is_token(bearer) else None
    return str(found) if found else ""


def _actor(session: Session, session_id: str, address: str | None, sheet: int | None) -> Actor | None:
    if sheet is None:
        return actor_of_session(session, session_id, address=address)
    return enter(session, session_id, sheet, address=address)


def _bearer(headers: Mapping[str, str]) -> str:
    """The token of the Authorization header; a session found by the middleware goes before it."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and not headers.get(SESSION_HEADER) else ""


def token_key() -> str:
    """The key that signs access tokens, and nothing else."""
    return settings().derived_key("access tokens")
