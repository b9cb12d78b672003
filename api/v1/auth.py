"""Sign-in for programs: access and refresh tokens, their renewal, and sign-out."""

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
    code: Annotated[str, Field(max_length=100, description="From an authenticator app, or a recovery code.")] = ""


CODE_REQUIRED = TokenPair("", "")


class Refresh(Strict):
    refresh_token: Secret


@router.post("/auth/login", summary="Sign in with e-mail and password")
def login(request: Request, credentials: Credentials) -> TokenPair:
    """Return an access token, valid for ten minutes, and a refresh token. 401 does not say which part was wrong.

    If the account has a second factor, a correct password without `code` gets a 401 with `code_required`.
    """
    address = request.client.host if request.client else None
    agent = request.headers.get("user-agent", "")
    grant = partial(grant_tokens, key=token_key(), address=address, user_agent=agent)
    pair = sign_in(
        transaction,
        credentials.email,
        credentials.password,
        address=address,
        grant=grant,
        without_code=_no_code,
        code=credentials.code,
    )
    if pair is None:
        raise WrongCredentials
    if pair is CODE_REQUIRED:
        raise CodeRequired
    return pair


@router.post("/auth/refresh", summary="Get new tokens for a refresh token")
def refresh(request: Request, body: Refresh) -> TokenPair:
    """Each refresh token works once. Using one twice ends its session.

    A client (address and user agent) that repeats its request within ten seconds gets the same refresh token again.
    """
    address = request.client.host if request.client else None
    agent = request.headers.get("user-agent", "")
    with transaction() as session:
        pair = refresh_tokens(session, body.refresh_token, key=token_key(), address=address, user_agent=agent)
    if pair is None:
        raise NotSignedIn
    return pair


@router.post("/auth/logout", status_code=204, summary="End this session")
def logout(actor: CurrentActor) -> None:
    """The session's access and refresh tokens stop working at once."""
    if actor.session_id is None:
        raise NotAllowed("A personal token has no session. Revoke the token on your profile page.")
    with transaction() as session:
        end_api_session(session, actor)


def _no_code(_session: Session, _user_id: int) -> TokenPair:
    return CODE_REQUIRED


class CodeRequired(NotSignedIn):
    """The password is correct, but the account also needs a code."""

    facts: ClassVar[dict[str, bool]] = {"code_required": True}

    def __init__(self) -> None:
        super().__init__()
        self.detail = "This account also needs a code from its authenticator app. Send it as `code`."


class WrongCredentials(NotSignedIn):
    """A failed sign-in. The message never says which part was wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.detail = SIGN_IN_FAILED
