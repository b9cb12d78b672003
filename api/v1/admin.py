"""Administration: people, invitations, who may register, sessions, events and the system; for administrators."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field
from sqlalchemy.orm import Session

from api.auth.request import MAX_ID, CallerDep, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from core.accounts import accounts, invitations
from core.accounts.registration import Policy, Registration, registration_policy, set_registration_policy
from core.accounts.workspace_currency import set_workspace_currency, workspace_currency
from core.admin import administration
from core.admin.health import system_health
from core.base.actor import Actor
from core.base.permissions import Permission, Role
from core.config.settings import settings
from core.mail.smtp import ConsoleTransport, mail_transport
from core.sharing.transfer import owned_sheets

router = APIRouter(prefix="/admin", tags=["Administration"], route_class=ExactRoute)

UserId = Annotated[int, Path(description="The person's number.", ge=1, le=MAX_ID)]
InvitationId = Annotated[int, Path(description="The invitation's number.", ge=1, le=MAX_ID)]
SessionId = Annotated[UUID, Path(description="The session's id.")]
RoleName = Literal["admin", "manager", "member", "analyst"]


class Currency(Strict):
    currency: str = Field(description="The three letters of ISO 4217, such as EUR.")


class PersonChanges(Strict):
    """Only what is named changes."""

    role: RoleName | None = None
    is_active: bool | None = None


class NewInvitation(Strict):
    email: str
    role: RoleName = "member"
    mail: bool = Field(default=False, description="Send the link by mail instead of answering it.")


class Rule(Strict):
    who: Literal["invited", "domains", "open"]
    domains: list[str] = Field(default_factory=list)


@router.get("/people", summary="Everybody with an account")
def people(caller: CallerDep) -> Response:
    """By name, with role, state and when they were last seen."""
    with caller.transaction() as (session, actor):
        return _people(session, actor)


@router.patch("/people/{user}", summary="Change a person's role or access")
def change_person(caller: CallerDep, user: UserId, changes: PersonChanges) -> Response:
    """Both sign the person out everywhere. Sheets of a deactivated person are transferred at `sheets/{id}/transfer`."""
    with caller.transaction() as (session, actor):
        if changes.role is not None:
            accounts.change_role(session, actor, user, role=Role(changes.role))
        if changes.is_active is not None:
            (accounts.reactivate if changes.is_active else accounts.deactivate)(session, actor, user)
        return _people(session, actor)


@router.post("/people/{user}/sign-out", summary="Sign a person out everywhere", status_code=204)
def sign_out(caller: CallerDep, user: UserId) -> Response:
    """Their sessions, API tokens and the links sent to them end."""
    with caller.transaction() as (session, actor):
        administration.sign_out_person(session, actor, user)
        return Response(status_code=204)


@router.post("/people/{user}/reset-link", summary="Have a person choose a new password", status_code=201)
def reset_link(caller: CallerDep, user: UserId) -> Response:
    """By mail where there is a mail server (`link` is null then), else as a link to hand over, told once."""
    with caller.transaction() as (session, actor):
        if not isinstance(mail_transport(), ConsoleTransport):
            administration.send_reset(session, actor, user, url=settings().url)
            return answer({"link": None}, 201)
        token = administration.make_reset_link(session, actor, user)
        return answer({"link": f"{settings().url}/?reset={token}"}, 201)


@router.get("/sheets", summary="Every sheet with its owner")
def sheets(
    caller: CallerDep, left: Annotated[bool, Query(description="Only of deactivated people.")] = False
) -> Response:
    """Names alone, for handing over; nothing of what is in them."""
    with caller.transaction() as (session, actor):
        found = [sheet for sheet in owned_sheets(session, actor) if sheet.is_orphaned or not left]
        return answer({"sheets": [{"id": s.sheet_id, "name": s.name, "owner": s.owner_id} for s in found]})


@router.get("/invitations", summary="Invitations that wait")
def waiting(caller: CallerDep) -> Response:
    """The newest first."""
    with caller.transaction() as (session, actor):
        return _invitations(session, actor)


@router.post("/invitations", summary="Invite somebody", status_code=201)
def invite(caller: CallerDep, body: NewInvitation) -> Response:
    """The link is told once, and not at all where it is sent by mail. It replaces an earlier one."""
    with caller.transaction() as (session, actor):
        mailed_from = settings().url if body.mail else ""
        token = invitations.invite(session, actor, email=body.email, role=Role(body.role), mailed_from=mailed_from)
        return answer({"link": None if body.mail else invitations.invitation_url(settings().url, token)}, 201)


@router.delete("/invitations/{invitation}", summary="Withdraw an invitation")
def withdraw(caller: CallerDep, invitation: InvitationId) -> Response:
    """Its link stops working."""
    with caller.transaction() as (session, actor):
        invitations.revoke_invitation(session, actor, invitation)
        return _invitations(session, actor)


@router.get("/registration", summary="Who may make themselves an account")
def rule(caller: CallerDep) -> Response:
    """The rule that holds now."""
    with caller.transaction() as (session, actor):
        accounts.require(actor, Permission.PEOPLE_MANAGE)
        return answer(_rule_json(registration_policy(session)))


@router.put("/registration", summary="Say who may make themselves an account")
def set_rule(caller: CallerDep, body: Rule) -> Response:
    """`domains` counts where `who` is `domains`."""
    with caller.transaction() as (session, actor):
        set_registration_policy(session, actor, Registration(body.who), domains=tuple(body.domains))
        return answer(_rule_json(registration_policy(session)))


@router.get("/currency", summary="The workspace's currency")
def currency(caller: CallerDep) -> Response:
    """That of a column of money which names no other when it is made."""
    with caller.transaction() as (session, actor):
        accounts.require(actor, Permission.PEOPLE_MANAGE)
        return answer({"currency": workspace_currency(session)})


@router.put("/currency", summary="Choose the workspace's currency")
def choose_currency(caller: CallerDep, body: Currency) -> Response:
    """For columns of money that are made from now on. Columns that are there keep theirs."""
    with caller.transaction() as (session, actor):
        set_workspace_currency(session, actor, body.currency)
        return answer({"currency": workspace_currency(session)})


@router.get("/sessions", summary="Where everybody is signed in")
def sessions(caller: CallerDep) -> Response:
    """The latest first."""
    with caller.transaction() as (session, actor):
        found = administration.live_sessions(session, actor)
        return answer({"sessions": [_session_json(one) for one in found]})


@router.delete("/sessions/{session_id}", summary="Sign somebody out at one place", status_code=204)
def revoke(caller: CallerDep, session_id: SessionId) -> Response:
    """Their open pages there become the way in at once."""
    with caller.transaction() as (session, actor):
        administration.revoke_session(session, actor, session_id)
        return Response(status_code=204)


@router.get("/events", summary="What happened last to accounts, teams and shares")
def events(caller: CallerDep) -> Response:
    """The latest first."""
    with caller.transaction() as (session, actor):
        return answer({"events": administration.security_events(session, actor)})


@router.get("/system", summary="How the server is")
def system(caller: CallerDep) -> Response:
    """Database, letters, disk and who is there; `troubles` are sentences about what should be seen to."""
    with caller.transaction() as (session, actor):
        health = system_health(session, actor)
        return answer({"health": health, "troubles": health.troubles})


def _people(session: Session, actor: Actor) -> Response:
    found = accounts.people(session, actor)
    return answer({"people": [_person_json(one) for one in found]})


def _person_json(one: accounts.PersonInfo) -> dict[str, Any]:
    return {
        "id": one.user_id,
        "name": one.name,
        "email": one.email,
        "role": one.role,
        "is_active": one.is_active,
        "has_password": one.has_password,
        "has_second_factor": one.has_second_factor,
        "has_identity": one.has_identity,
        "created_at": one.created_at,
        "last_seen_at": one.last_seen_at,
    }


def _session_json(one: administration.LiveSession) -> dict[str, Any]:
    return {
        "id": one.session_id,
        "user": one.user_id,
        "name": one.name,
        "kind": one.kind,
        "address": one.address,
        "user_agent": one.user_agent,
        "created_at": one.created_at,
        "last_seen_at": one.last_seen_at,
    }


def _invitations(session: Session, actor: Actor) -> Response:
    found = invitations.invitations(session, actor)
    waits = [{"id": i.invitation_id, "email": i.email, "role": i.role, "expires_at": i.expires_at} for i in found]
    return answer({"invitations": waits})


def _rule_json(policy: Policy) -> dict[str, Any]:
    return {"who": policy.who, "domains": list(policy.domains)}
