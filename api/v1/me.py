"""Who I am, how I like things written and where I am signed in; and whom I work with."""

from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field
from sqlalchemy.orm import Session

from api.auth.request import MAX_ID, CallerDep, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from core.accounts import accounts
from core.accounts.directory import MAX_RESULTS, MAX_SEARCH_LENGTH, find_people
from core.accounts.preferences import get_locale, set_locale
from core.base.actor import Actor
from core.credentials import sessions
from core.credentials.revocation import sign_out_elsewhere
from core.sharing.teams import accept_offer, decline_offer, my_offers

router = APIRouter(tags=["People"], route_class=ExactRoute)

SessionId = Annotated[UUID, Path(description="The session's id.")]
Search = Annotated[str, Query(max_length=MAX_SEARCH_LENGTH, description="Words in a name, an address or a team.")]
Limit = Annotated[int, Query(ge=1, le=MAX_RESULTS)]
OfferedTeam = Annotated[int, Path(description="The number of a team that I am offered.", ge=1, le=MAX_ID)]


class Myself(Strict):
    """Only what is named changes."""

    name: Annotated[str, Field(max_length=1000)] | None = None
    date_format: Literal["iso", "day first", "month first"] | None = None
    number_format: str | None = Field(default=None, description="As it looks: `1,234.5`, `1.234,5`, `1 234,5`…")
    time_zone: str | None = Field(default=None, description="Such as `Europe/Berlin`, or `UTC`.")


class Elsewhere(Strict):
    tokens: bool = Field(default=True, description="Revoke my API tokens, too, but for the one that asks.")


@router.get("/me", summary="Who I am")
def me(caller: CallerDep) -> Response:
    """The person whom the token or cookie belongs to, and how they like dates, numbers and moments written."""
    with caller.transaction() as (session, actor):
        return _myself(session, actor)


@router.patch("/me", summary="Change my name, or how I like things written")
def change_me(caller: CallerDep, changes: Myself) -> Response:
    """Addresses and passwords are changed on the profile page."""
    chosen = changes.model_dump(exclude_none=True, exclude={"name"})
    with caller.transaction() as (session, actor):
        if changes.name is not None:
            accounts.rename_myself(session, actor, changes.name)
        set_locale(session, actor, **chosen)
        return _myself(session, actor)


@router.get("/me/sessions", summary="Where I am signed in")
def my_sessions(caller: CallerDep) -> Response:
    """The latest first; `is_this` is the one that asks."""
    with caller.transaction() as (session, actor):
        found = sessions.my_sessions(session, actor)
        return answer({"sessions": [_session_json(one, actor) for one in found]})


@router.delete("/me/sessions/{session_id}", summary="Sign out at one place", status_code=204)
def end_session(caller: CallerDep, session_id: SessionId) -> Response:
    """An open page there becomes the way in at once."""
    with caller.transaction() as (session, actor):
        sessions.end_session(session, actor, session_id)
        return Response(status_code=204)


@router.post("/me/sign-out-elsewhere", summary="Sign out everywhere else", status_code=204)
def sign_out(caller: CallerDep, body: Elsewhere) -> Response:
    """Every session but the one that asks ends, and so do API tokens, links sent to me and invitations that I sent."""
    with caller.transaction() as (session, actor):
        sign_out_elsewhere(session, actor, tokens=body.tokens)
        return Response(status_code=204)


@router.get("/me/team-offers", summary="Teams that I am offered")
def offers(caller: CallerDep) -> Response:
    """Whom a manager puts into a team is in it once they accept. Until then neither gives the other anything."""
    with caller.transaction() as (session, actor):
        return _offers(session, actor)


@router.put("/me/team-offers/{team}", summary="Accept a team")
def accept(caller: CallerDep, team: OfferedTeam) -> Response:
    """What the team is given is mine from now on, and my rows are the team's. What I am offered besides is answered."""
    with caller.transaction() as (session, actor):
        accept_offer(session, actor, team)
        return _offers(session, actor)


@router.delete("/me/team-offers/{team}", summary="Decline a team")
def decline(caller: CallerDep, team: OfferedTeam) -> Response:
    """404 where I am not offered it, or have accepted it."""
    with caller.transaction() as (session, actor):
        decline_offer(session, actor, team)
        return _offers(session, actor)


@router.get("/people", summary="Whom I work with")
def people(caller: CallerDep, search: Search = "", limit: Limit = MAX_RESULTS) -> Response:
    """Active people by name, with their role and teams; those that have every word of the search."""
    with caller.transaction() as (session, actor):
        found = find_people(session, actor, search, limit=limit)
        facts = [
            {"id": one.user_id, "name": one.name, "email": one.email, "role": one.role, "teams": one.teams}
            for one in found
        ]
        return answer({"people": facts})


def _myself(session: Session, actor: Actor) -> Response:
    name = accounts.name_of(session, actor)
    return answer(
        {"id": actor.user_id, "name": name, "email": actor.email, "role": actor.role}
        | asdict(get_locale(session, actor))
    )


def _offers(session: Session, actor: Actor) -> Response:
    facts = [
        {"id": one.team_id, "name": one.name, "by": one.by, "is_manager": one.is_manager}
        for one in my_offers(session, actor)
    ]
    return answer({"offers": facts})


def _session_json(one: sessions.SessionInfo, actor: Actor) -> dict[str, Any]:
    return {
        "id": one.session_id,
        "kind": one.kind,
        "address": one.address,
        "user_agent": one.user_agent,
        "created_at": one.created_at,
        "last_seen_at": one.last_seen_at,
        "is_this": one.session_id == actor.session_id,
    }
