"""Administration, for administrators: people, invitations, registration, sessions, security events, the system."""

from dataclasses import asdict
from datetime import date
from decimal import Decimal
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
from core.admin import administration
from core.admin.health import system_health
from core.base.actor import Actor, require
from core.base.exact_json import decimal_text
from core.base.permissions import Permission, Role
from core.config.settings import settings
from core.mail.smtp import ConsoleTransport, mail_transport
from core.sharing.transfer import owned_sheets
from core.workspace.exchange_rates import MAX_RATES, Rate, exchange_rates, set_exchange_rates
from core.workspace.settings import change_workspace_settings, workspace_settings

router = APIRouter(prefix="/admin", tags=["Administration"], route_class=ExactRoute)

UserId = Annotated[int, Path(description="The person's number.", ge=1, le=MAX_ID)]
InvitationId = Annotated[int, Path(description="The invitation's number.", ge=1, le=MAX_ID)]
SessionId = Annotated[UUID, Path(description="The session's id.")]
RoleName = Literal["admin", "manager", "member", "analyst"]


class Currency(Strict):
    currency: str = Field(description="The three letters of ISO 4217, such as EUR.")


class SettingsChanges(Strict):
    """Fields that are left out stay unchanged."""

    currency: str | None = Field(default=None, description="The three letters of ISO 4217, such as EUR.")
    time_zone: str | None = Field(default=None, description="An IANA zone, for people who have chosen none.")
    week_start: int | None = Field(default=None, description="1 (Monday), 6 (Saturday) or 7 (Sunday).")
    fiscal_year_start: int | None = Field(default=None, description="The first month, from 1 to 12.")


class RateKey(Strict):
    currency: str
    day: Annotated[date, Field(strict=False)]


class RateBody(RateKey):
    rate: Annotated[Decimal, Field(strict=False)]


class RateChanges(Strict):
    rates: list[RateBody] = Field(default_factory=list, max_length=MAX_RATES)
    removed: list[RateKey] = Field(default_factory=list, max_length=MAX_RATES)


class PersonChanges(Strict):
    """Fields that are left out stay unchanged."""

    role: RoleName | None = None
    is_active: bool | None = None


class NewInvitation(Strict):
    email: str
    role: RoleName = "member"
    mail: bool = Field(default=False, description="Send the link by e-mail instead of returning it.")


class Rule(Strict):
    who: Literal["invited", "domains", "open"]
    domains: list[str] = Field(default_factory=list)


@router.get("/people", summary="All accounts")
def people(caller: CallerDep) -> Response:
    """Ordered by name, with role, state and the time they were last seen."""
    with caller.transaction() as (session, actor):
        return _people(session, actor)


@router.patch("/people/{user}", summary="Change a person's role or access")
def change_person(caller: CallerDep, user: UserId, changes: PersonChanges) -> Response:
    """Both changes sign the person out everywhere. To transfer a deactivated person's sheets, use
    `sheets/{id}/transfer`."""
    with caller.transaction() as (session, actor):
        if changes.role is not None:
            accounts.change_role(session, actor, user, role=Role(changes.role))
        if changes.is_active is not None:
            (accounts.reactivate if changes.is_active else accounts.deactivate)(session, actor, user)
        return _people(session, actor)


@router.post("/people/{user}/sign-out", summary="Sign a person out everywhere", status_code=204)
def sign_out(caller: CallerDep, user: UserId) -> Response:
    """Revoke their sessions, API tokens and the links sent to them."""
    with caller.transaction() as (session, actor):
        administration.sign_out_person(session, actor, user)
        return Response(status_code=204)


@router.post("/people/{user}/reset-link", summary="Make a password reset link", status_code=201)
def reset_link(caller: CallerDep, user: UserId) -> Response:
    """The link is sent by e-mail if a mail server is configured; `link` is null then. Otherwise `link` has it, once: it
    can't be read again."""
    with caller.transaction() as (session, actor):
        if not isinstance(mail_transport(), ConsoleTransport):
            administration.send_reset(session, actor, user, url=settings().url)
            return answer({"link": None}, 201)
        token = administration.make_reset_link(session, actor, user)
        return answer({"link": f"{settings().url}/?reset={token}"}, 201)


@router.get("/sheets", summary="All sheets with their owners")
def sheets(
    caller: CallerDep,
    only_orphaned: Annotated[bool, Query(alias="left", description="Only sheets of deactivated people.")] = False,
) -> Response:
    """Names and owners only, to find sheets that need a new owner."""
    with caller.transaction() as (session, actor):
        owned = [sheet for sheet in owned_sheets(session, actor) if sheet.is_orphaned or not only_orphaned]
        return answer({"sheets": [{"id": s.sheet_id, "name": s.name, "owner": s.owner_id} for s in owned]})


@router.get("/invitations", summary="Pending invitations")
def waiting(caller: CallerDep) -> Response:
    """Newest first."""
    with caller.transaction() as (session, actor):
        return _invitations(session, actor)


@router.post("/invitations", summary="Invite a person", status_code=201)
def invite(caller: CallerDep, body: NewInvitation) -> Response:
    """The link can't be read again later; it is null if it is sent by e-mail. It replaces an earlier invitation of this
    address."""
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


@router.get("/registration", summary="The registration policy")
def rule(caller: CallerDep) -> Response:
    """Who may register: invited people only, people of some e-mail domains, or anyone."""
    with caller.transaction() as (session, actor):
        require(actor, Permission.PEOPLE_MANAGE)
        return answer(_rule_json(registration_policy(session)))


@router.put("/registration", summary="Set the registration policy")
def set_rule(caller: CallerDep, body: Rule) -> Response:
    """`domains` applies if `who` is `domains`."""
    with caller.transaction() as (session, actor):
        set_registration_policy(session, actor, Registration(body.who), domains=tuple(body.domains))
        return answer(_rule_json(registration_policy(session)))


@router.get("/currency", summary="The workspace's currency")
def currency(caller: CallerDep) -> Response:
    """The default currency of new money columns."""
    with caller.transaction() as (session, actor):
        require(actor, Permission.PEOPLE_MANAGE)
        return answer({"currency": workspace_settings(session).currency})


@router.put("/currency", summary="Set the workspace's currency")
def choose_currency(caller: CallerDep, body: Currency) -> Response:
    """It applies to money columns that are created later. Existing columns keep their currency."""
    with caller.transaction() as (session, actor):
        settings = change_workspace_settings(session, actor, currency=body.currency)
        return answer({"currency": settings.currency})


@router.get("/settings", summary="The workspace's settings")
def workspace(caller: CallerDep) -> Response:
    """Currency, time zone, first day of the week and first month of the fiscal year."""
    with caller.transaction() as (session, actor):
        require(actor, Permission.PEOPLE_MANAGE)
        return answer(asdict(workspace_settings(session)))


@router.patch("/settings", summary="Change the workspace's settings")
def change_workspace(caller: CallerDep, body: SettingsChanges) -> Response:
    """Returns all settings. Fields that are left out stay unchanged."""
    with caller.transaction() as (session, actor):
        changes = body.model_dump(exclude_unset=True, exclude_none=True)
        return answer(asdict(change_workspace_settings(session, actor, **changes)))


@router.get("/exchange-rates", summary="The exchange rates")
def rates(caller: CallerDep) -> Response:
    """What a unit of each currency is worth in the workspace's currency from a day on, newest first."""
    with caller.transaction() as (session, actor):
        require(actor, Permission.PEOPLE_MANAGE)
        return _rates(session)


@router.put("/exchange-rates", summary="Store and remove exchange rates")
def set_rates(caller: CallerDep, body: RateChanges) -> Response:
    """Rates replace those of the same currency and day. Figures convert amounts of closed deals by the rate of the day
    on which they closed, and of open ones by today's."""
    stored = [Rate(rate.currency, rate.day, rate.rate) for rate in body.rates]
    removed = [(key.currency, key.day) for key in body.removed]
    with caller.transaction() as (session, actor):
        set_exchange_rates(session, actor, stored, removed=removed)
        return _rates(session)


@router.get("/sessions", summary="All sessions")
def sessions(caller: CallerDep) -> Response:
    """Most recently used first."""
    with caller.transaction() as (session, actor):
        live_sessions = administration.live_sessions(session, actor)
        return answer({"sessions": [_session_json(live_session) for live_session in live_sessions]})


@router.delete("/sessions/{session_id}", summary="End a person's session", status_code=204)
def revoke(caller: CallerDep, session_id: SessionId) -> Response:
    """Open pages of this session show the sign-in page at once."""
    with caller.transaction() as (session, actor):
        administration.revoke_session(session, actor, session_id)
        return Response(status_code=204)


@router.get("/events", summary="Recent events of accounts, teams and shares")
def events(caller: CallerDep) -> Response:
    """Newest first."""
    with caller.transaction() as (session, actor):
        return answer({"events": administration.security_events(session, actor)})


@router.get("/system", summary="The server's state")
def system(caller: CallerDep) -> Response:
    """Database, e-mail, disk and present users; `troubles` are sentences about problems that need attention."""
    with caller.transaction() as (session, actor):
        health = system_health(session, actor)
        return answer({"health": health, "troubles": health.troubles})


def _rates(session: Session) -> Response:
    rates_json = [
        {"currency": rate.currency, "day": rate.day, "rate": decimal_text(rate.rate)}
        for rate in exchange_rates(session)
    ]
    return answer({"base": workspace_settings(session).currency, "rates": rates_json})


def _people(session: Session, actor: Actor) -> Response:
    return answer({"people": [_person_json(person) for person in accounts.people(session, actor)]})


def _person_json(person: accounts.PersonInfo) -> dict[str, Any]:
    return {
        "id": person.user_id,
        "name": person.name,
        "email": person.email,
        "role": person.role,
        "is_active": person.is_active,
        "has_password": person.has_password,
        "has_second_factor": person.has_second_factor,
        "has_identity": person.has_identity,
        "created_at": person.created_at,
        "last_seen_at": person.last_seen_at,
    }


def _session_json(live_session: administration.LiveSession) -> dict[str, Any]:
    return {
        "id": live_session.session_id,
        "user": live_session.user_id,
        "name": live_session.name,
        "kind": live_session.kind,
        "address": live_session.address,
        "user_agent": live_session.user_agent,
        "created_at": live_session.created_at,
        "last_seen_at": live_session.last_seen_at,
    }


def _invitations(session: Session, actor: Actor) -> Response:
    pending = [
        {"id": i.invitation_id, "email": i.email, "role": i.role, "expires_at": i.expires_at}
        for i in invitations.invitations(session, actor)
    ]
    return answer({"invitations": pending})


def _rule_json(policy: Policy) -> dict[str, Any]:
    return {"who": policy.who, "domains": list(policy.domains)}
