"""Signing in for programs: tokens for a password, fresh ones for a refresh token, and the end of a session."""

from functools import partial
from typing import Annotated, ClassVar

from fastapi import APIRouter, Request
from pydantic import Field
from sqlalchemy.orm import Session

from api.auth.principal import NotSignedIn, token_key
from api.auth.request import CurrentActor, Strict
from api.http.json_body import ExactRoute
from core.base.errors import NotAllowed
from core.credentials.access_tokens import TokenPair, end_api_session, grant_tokens, refresh_tokens
from core.sign_in.password import SIGN_IN_FAILED, sign_in
from db.engine import transaction

router = APIRouter(tags=["Signing in"], route_class=ExactRoute)
Secret = Annotated[str, Field(max_length=1000)]


class Credentials(Strict):
    email: Secret
    password: Secret
    code: Annotated[str, Field(max_length=100, description="Of an authenticator app, or a recovery code.")] = ""


CODE_REQUIRED = TokenPair("", "")


class Refresh(Strict):
    refresh_token: Secret


@router.post("/auth/login", summary="Tokens for an e-mail and a password")
def login(request: Request, given: Credentials) -> TokenPair:
    """An access token for ten minutes and a refresh token. 401 says the same whatever was wrong.

    Where the person has a second factor, a right password without `code` gets a 401 with `code_required`.
    """
    address = request.client.host if request.client else None
    agent = request.headers.get("user-agent", "")
    grant = partial(grant_tokens, key=token_key(), address=address, user_agent=agent)
    pair = sign_in(
        transaction, given.email, given.password, address=address, grant=grant, without_code=_no_code, code=given.code
    )
    if pair is None:
        raise WrongCredentials
    if pair is CODE_REQUIRED:
        raise CodeRequired
    return pair


@router.post("/auth/refresh", summary="Fresh tokens for a refresh token")
def refresh(request: Request, given: Refresh) -> TokenPair:
    """Each refresh token works once. Using one twice ends the session that it belongs to.

    The same client (address and user agent) may repeat itself within ten seconds and gets the same refresh token.
    """
    address = request.client.host if request.client else None
    agent = request.headers.get("user-agent", "")
    with transaction() as session:
        pair = refresh_tokens(session, given.refresh_token, key=token_key(), address=address, user_agent=agent)
    if pair is None:
        raise NotSignedIn
    return pair


@router.post("/auth/logout", status_code=204, summary="End this session")
def logout(actor: CurrentActor) -> None:
    """The session's access and refresh tokens stop working at once."""
    if actor.session_id is None:
        raise NotAllowed("A personal token has no session. Revoke it on your profile page.")
    with transaction() as session:
        end_api_session(session, actor)


def _no_code(_session: Session, _user_id: int) -> TokenPair:
    return CODE_REQUIRED


class CodeRequired(NotSignedIn):
    """The password is right, and this person signs in with a code, too."""

    facts: ClassVar[dict[str, bool]] = {"code_required": True}

    def __init__(self) -> None:
        super().__init__()
        self.detail = "A code of your authenticator app is needed, too: send it as `code`."


class WrongCredentials(NotSignedIn):
    """The one answer to every sign-in that does not succeed."""

    def __init__(self) -> None:
        super().__init__()
        self.detail = SIGN_IN_FAILED
