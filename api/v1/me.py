"""The signed-in user: name, preferences, sessions and team offers; and the people they work with."""

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
from core.accounts.locale import get_locale, set_locale
from core.base.actor import Actor
from core.credentials import sessions
from core.credentials.revocation import sign_out_elsewhere
from core.sharing.teams import accept_offer, decline_offer, my_offers

router = APIRouter(tags=["People"], route_class=ExactRoute)

SessionId = Annotated[UUID, Path(description="The session's id.")]
Search = Annotated[
    str, Query(max_length=MAX_SEARCH_LENGTH, description="Words in a name, an e-mail address or a team.")
]
Limit = Annotated[int, Query(ge=1, le=MAX_RESULTS)]
OfferedTeam = Annotated[int, Path(description="The number of a team that was offered to me.", ge=1, le=MAX_ID)]


class Myself(Strict):
    """Fields that are left out stay unchanged."""

    name: Annotated[str, Field(max_length=1000)] | None = None
    date_format: Literal["iso", "day first", "month first"] | None = None
    number_format: str | None = Field(default=None, description="An example: `1,234.5`, `1.234,5`, `1 234,5`…")
    time_zone: str | None = Field(default=None, description="Such as `Europe/Berlin`, or `UTC`.")


class Elsewhere(Strict):
    tokens: bool = Field(default=True, description="Also revoke my API tokens, except the one of this request.")


@router.get("/me", summary="Who I am")
def me(caller: CallerDep) -> Response:
    """The user of the token or cookie, and their preferences for dates, numbers and time zone."""
    with caller.transaction() as (session, actor):
        return _myself(session, actor)


@router.patch("/me", summary="Change my name or preferences")
def change_me(caller: CallerDep, changes: Myself) -> Response:
    """E-mail address and password can only be changed on the profile page."""
    preferences = changes.model_dump(exclude_none=True, exclude={"name"})
    with caller.transaction() as (session, actor):
        if changes.name is not None:
            accounts.rename_myself(session, actor, changes.name)
        set_locale(session, actor, **preferences)
        return _myself(session, actor)


@router.get("/me/sessions", summary="Where I am signed in")
def my_sessions(caller: CallerDep) -> Response:
    """Most recently used first; `is_this` marks the session of this request."""
    with caller.transaction() as (session, actor):
        infos = sessions.my_sessions(session, actor)
        return answer({"sessions": [_session_json(info, actor) for info in infos]})


@router.delete("/me/sessions/{session_id}", summary="End one of my sessions", status_code=204)
def end_session(caller: CallerDep, session_id: SessionId) -> Response:
    """Open pages of this session show the sign-in page at once."""
    with caller.transaction() as (session, actor):
        sessions.end_session(session, actor, session_id)
        return Response(status_code=204)


@router.post("/me/sign-out-elsewhere", summary="Sign out everywhere else", status_code=204)
def sign_out(caller: CallerDep, body: Elsewhere) -> Response:
    """Ends every session but this one, and revokes API tokens, links sent to me and invitations that I sent."""
    with caller.transaction() as (session, actor):
        sign_out_elsewhere(session, actor, tokens=body.tokens)
        return Response(status_code=204)


@router.get("/me/team-offers", summary="Team offers for me")
def offers(caller: CallerDep) -> Response:
    """A person whom a manager adds to a team becomes a member by accepting. Until then, nothing is shared."""
    with caller.transaction() as (session, actor):
        return _offers(session, actor)


@router.put("/me/team-offers/{team}", summary="Accept a team offer")
def accept(caller: CallerDep, team: OfferedTeam) -> Response:
    """From now on I see what is shared with the team, and its managers see my rows. Returns the other offers."""
    with caller.transaction() as (session, actor):
        accept_offer(session, actor, team)
        return _offers(session, actor)


@router.delete("/me/team-offers/{team}", summary="Decline a team offer")
def decline(caller: CallerDep, team: OfferedTeam) -> Response:
    """404 if it was not offered to me or I have accepted it."""
    with caller.transaction() as (session, actor):
        decline_offer(session, actor, team)
        return _offers(session, actor)


@router.get("/people", summary="People I work with")
def people(caller: CallerDep, search: Search = "", limit: Limit = MAX_RESULTS) -> Response:
    """Active people that match every word of the search, by name, with their role and teams."""
    with caller.transaction() as (session, actor):
        people_json = [
            {
                "id": person.user_id,
                "name": person.name,
                "email": person.email,
                "role": person.role,
                "teams": person.teams,
            }
            for person in find_people(session, actor, search, limit=limit)
        ]
        return answer({"people": people_json})


def _myself(session: Session, actor: Actor) -> Response:
    name = accounts.name_of(session, actor)
    return answer(
        {"id": actor.user_id, "name": name, "email": actor.email, "role": actor.role}
        | asdict(get_locale(session, actor))
    )


def _offers(session: Session, actor: Actor) -> Response:
    offers_json = [
        {"id": offer.team_id, "name": offer.name, "by": offer.by, "is_manager": offer.is_manager}
        for offer in my_offers(session, actor)
    ]
    return answer({"offers": offers_json})


def _session_json(info: sessions.SessionInfo, actor: Actor) -> dict[str, Any]:
    return {
        "id": info.session_id,
        "kind": info.kind,
        "address": info.address,
        "user_agent": info.user_agent,
        "created_at": info.created_at,
        "last_seen_at": info.last_seen_at,
        "is_this": info.session_id == actor.session_id,
    }
