"""Signing in for programs: tokens for a password, fresh ones for a refresh token, and the end of a session."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from api.bodies import ExactRoute
from api.identity import NotSignedIn, token_key
from api.v1.asked import CurrentActor, Strict
from core.sign_in import NEUTRAL, sign_in
from core.tokens import TokenPair, end_api_session, grant_tokens, refresh_tokens
from db.engine import transaction

router = APIRouter(tags=["Signing in"], route_class=ExactRoute)
Secret = Annotated[str, Field(max_length=1000)]


class Credentials(Strict):
    email: Secret
    password: Secret


class Refresh(Strict):
    refresh_token: Secret


@router.post("/auth/login", summary="Tokens for an e-mail and a password")
def login(request: Request, given: Credentials) -> TokenPair:
    """An access token for ten minutes and a refresh token. 401 says the same whatever was wrong."""
    address = request.client.host if request.client else None
    agent = request.headers.get("user-agent", "")
    grant = partial(grant_tokens, key=token_key(), address=address, user_agent=agent)
    pair = sign_in(transaction, given.email, given.password, address=address, grant=grant)
    if pair is None:
        raise WrongCredentials
    return pair


@router.post("/auth/refresh", summary="Fresh tokens for a refresh token")
def refresh(given: Refresh) -> TokenPair:
    """Each refresh token works once. Using one twice ends the session that it belongs to."""
    with transaction() as session:
        pair = refresh_tokens(session, given.refresh_token, key=token_key())
    if pair is None:
        raise NotSignedIn
    return pair


@router.post("/auth/logout", status_code=204, summary="End this session")
def logout(actor: CurrentActor) -> None:
    """The session's access and refresh tokens stop working at once."""
    with transaction() as session:
        end_api_session(session, actor)


@router.get("/me", summary="Who I am")
def me(actor: CurrentActor) -> dict[str, str | int]:
    """The person whom the token or cookie belongs to."""
    return {"id": actor.user_id, "name": actor.name, "email": actor.email, "role": actor.role.value}


class WrongCredentials(NotSignedIn):
    """The one answer to every sign-in that does not succeed."""

    def __init__(self) -> None:
        super().__init__()
        self.detail = NEUTRAL
