"""What core does for people beside their sheets, with what it needs and a way to ask for it."""

import importlib
import io
from typing import Any
from uuid import uuid4

import pyotp
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts import require
from core.audit_trail import AuditFilter, audit_events, export_audit
from core.importer import import_new_sheet, propose
from core.importer import inspect as inspect_file
from core.permissions import Permission as P
from core.permissions import Role, Scope
from core.registration import Registration
from core.second_factor import confirm_second_factor, waiting_secret
from db.engine import transaction
from tests.conftest import PASSWORD
from tests.core.principals import ANNS_OPERATION, ANNS_SESSION, ARRIVAL, GUS, Anns, Needs, Own, person
from tests.core.sheet_commands import Call


def _kept_request(session: Session) -> bytes:
    """The digest of Ann's operation: whoever sends the same content has it, too."""
    query = text("SELECT request FROM operations WHERE operation_id = :operation")
    return bytes(session.scalar(query, {"operation": ANNS_OPERATION}) or b"")


BEN, DAN, NORTH, SOUTH, SOMETHING = 3, 5, 901, 902, 901
NEW, URL = "another good password", "http://here"


def ask(name: str, /, *args: Any, **kwargs: Any) -> Call:
    """A command that takes session and actor."""
    command = _named(name)
    return lambda session, who, _sheet: command(session, who, *args, **kwargs)


def by_steps(name: str, /, *args: Any, **kwargs: Any) -> Call:
    """A command that opens its transactions itself, because it waits for a password's hash between them."""
    command = _named(name)
    return lambda _session, who, _sheet: command(transaction, who, *args, **kwargs)


def _named(name: str) -> Any:
    module, function = name.rsplit(".", 1)
    return getattr(importlib.import_module(f"core.{module}"), function)


def confirmed(session: Session, who: Any, _sheet: int) -> None:
    secret, _ = waiting_secret(session, person(who)) or ("", "")
    confirm_second_factor(session, who, pyotp.TOTP(secret).now())


def imported(session: Session, who: Any, _sheet: int) -> None:
    file = io.BytesIO(b"Deal\nAcme\n")
    import_new_sheet(session, who, "Imported", file, propose(inspect_file(file), None), operation_id=uuid4())


def audited(session: Session, who: Any, _sheet: int) -> str:
    file = io.BytesIO()
    export_audit(session, who, AuditFilter(), file)
    return file.getvalue().decode()


WORKSPACE_COMMANDS: dict[str, tuple[Needs, Call]] = {
    "accounts.require": (P.PEOPLE_MANAGE, lambda _session, who, _sheet: require(who, P.PEOPLE_MANAGE)),
    "accounts.require_administrator": (P.PEOPLE_MANAGE, ask("accounts.require_administrator")),
    "accounts.managed_person": (P.PEOPLE_MANAGE, ask("accounts.managed_person", BEN)),
    "accounts.people": (P.PEOPLE_MANAGE, ask("accounts.people")),
    "accounts.create_user": (
        P.PEOPLE_MANAGE,
        ask("accounts.create_user", email="zoe@example.com", name="Zoe", role=Role.MEMBER),
    ),
    "accounts.change_role": (P.PEOPLE_MANAGE, ask("accounts.change_role", BEN, role=Role.MANAGER)),
    "accounts.deactivate": (P.PEOPLE_MANAGE, ask("accounts.deactivate", BEN)),
    "accounts.reactivate": (P.PEOPLE_MANAGE, ask("accounts.reactivate", GUS)),
    "administration.live_sessions": (P.PEOPLE_MANAGE, ask("administration.live_sessions")),
    "administration.revoke_session": (P.PEOPLE_MANAGE, ask("administration.revoke_session", ANNS_SESSION)),
    "administration.sign_out_person": (P.PEOPLE_MANAGE, ask("administration.sign_out_person", BEN)),
    "administration.send_reset": (P.PEOPLE_MANAGE, ask("administration.send_reset", BEN, url=URL)),
    "administration.make_reset_link": (P.PEOPLE_MANAGE, ask("administration.make_reset_link", BEN)),
    "administration.security_events": (P.AUDIT_SEE, ask("administration.security_events")),
    "invitations.invitations": (P.PEOPLE_MANAGE, ask("invitations.invitations")),
    "invitations.invite": (P.PEOPLE_MANAGE, ask("invitations.invite", email="zoe@example.com", role=Role.ADMIN)),
    "invitations.invite_all": (P.PEOPLE_MANAGE, ask("invitations.invite_all", "zoe@example.com", role=Role.ADMIN)),
    "invitations.revoke_invitation": (P.PEOPLE_MANAGE, ask("invitations.revoke_invitation", SOMETHING)),
    "registration.set_registration_policy": (
        P.PEOPLE_MANAGE,
        ask("registration.set_registration_policy", Registration.OPEN),
    ),
    "currency.set_workspace_currency": (P.PEOPLE_MANAGE, ask("currency.set_workspace_currency", "USD")),
    "second_factor.reset_second_factor": (P.PEOPLE_MANAGE, ask("second_factor.reset_second_factor", GUS)),
    "system.system_health": (P.PEOPLE_MANAGE, ask("system.system_health")),
    "transfer.owned_sheets": (P.PEOPLE_MANAGE, ask("transfer.owned_sheets")),
    # --- colleagues, teams and new sheets
    "people.find_people": (P.PEOPLE_SEE, ask("people.find_people", "ben")),
    "teams.teams": (P.PEOPLE_SEE, ask("teams.teams")),
    "teams.get_team": (P.PEOPLE_SEE, ask("teams.get_team", NORTH)),
    "teams.people_to_add": (P.TEAMS_MANAGE, ask("teams.people_to_add")),
    "teams.create_team": (P.TEAMS_MANAGE, ask("teams.create_team", "West")),
    "teams.rename_team": (P.TEAMS_MANAGE, ask("teams.rename_team", NORTH, "East")),
    "teams.delete_team": (P.TEAMS_MANAGE, ask("teams.delete_team", NORTH)),
    "teams.add_member": (P.TEAMS_MANAGE, ask("teams.add_member", NORTH, BEN)),
    "teams.add_members": (P.TEAMS_MANAGE, ask("teams.add_members", NORTH, [BEN, DAN])),
    "teams.remove_member": (P.TEAMS_MANAGE, ask("teams.remove_member", NORTH, 2)),
    "teams.my_offers": (Own(), ask("teams.my_offers")),
    "teams.accept_offer": (Anns, ask("teams.accept_offer", SOUTH)),
    "teams.decline_offer": (Anns, ask("teams.decline_offer", SOUTH)),
    "sheets.create_sheet": (P.SHEETS_CREATE, ask("sheets.create_sheet", "Mine")),
    "importer.loading.import_new_sheet": (P.SHEETS_CREATE, imported),
    # --- the audit trail: of one's own sheets, or all of it
    "audit_trail.audit_events": (Own(but=P.AUDIT_SEE), ask("audit_trail.audit_events")),
    "audit_trail.audit_events of a sheet": (
        (P.SHEET_SHARE, P.AUDIT_SEE),
        lambda session, who, sheet: audit_events(session, who, AuditFilter(sheet_id=sheet)),
    ),
    "audit_trail.audited_sheets": (Own(but=P.AUDIT_SEE), ask("audit_trail.audited_sheets")),
    "audit_trail.export_audit": (Own(but=P.AUDIT_SEE), audited),
    "audit_trail.export_audit of a sheet": (
        (P.SHEET_SHARE, P.AUDIT_SEE),
        lambda session, who, sheet: export_audit(session, who, AuditFilter(sheet_id=sheet), io.BytesIO()),
    ),
    # --- one's own account
    "account_links.ask_address": (
        Own(),
        by_steps("account_links.ask_address", "zoe@example.com", password=PASSWORD, url=URL),
    ),
    "account_links.ask_verification": (Own(), ask("account_links.ask_verification", url=URL)),
    "account_links.is_verified": (Own(), ask("account_links.is_verified")),
    "accounts.name_of": (Own(), ask("accounts.name_of")),
    "accounts.rename_myself": (Own(), ask("accounts.rename_myself", "Somebody Else")),
    "api_tokens.make_token": (Own(), ask("api_tokens.make_token", name="Mine", scope=Scope.WRITE, days=1)),
    "api_tokens.make_token that administers": (
        P.PEOPLE_MANAGE,
        ask("api_tokens.make_token", name="Mine", scope=Scope.ADMIN, days=1),
    ),
    "api_tokens.my_tokens": (Own(), ask("api_tokens.my_tokens")),
    "api_tokens.revoke_token": (Anns, ask("api_tokens.revoke_token", SOMETHING)),
    "arrivals.arrival_of_mine": (Own(), ask("arrivals.arrival_of_mine", ARRIVAL)),
    "arrivals.link_mine": (Own(), by_steps("arrivals.link_mine", ARRIVAL, password=PASSWORD)),
    "changes.kept_answer": (
        Own(),
        lambda session, who, sheet: _named("changes.kept_answer")(
            session, sheet, who, ANNS_OPERATION, _kept_request(session)
        ),
    ),
    "credentials.sign_out_elsewhere": (Own(), ask("credentials.sign_out_elsewhere")),
    "identities.my_identities": (Own(), ask("identities.my_identities")),
    "identities.unlink": (Anns, ask("identities.unlink", "falcon")),
    "second_factor.second_factor": (Own(), ask("second_factor.second_factor")),
    "second_factor.waiting_secret": (Own(), ask("second_factor.waiting_secret")),
    "second_factor.forget_waiting_secret": (Own(), ask("second_factor.forget_waiting_secret")),
    "second_factor.confirm_second_factor": (Own(), confirmed),
    "sessions.my_sessions": (Own(), ask("sessions.my_sessions")),
    "sessions.end_session": (Anns, ask("sessions.end_session", ANNS_SESSION)),
    "sessions.end_other_sessions": (Own(), ask("sessions.end_other_sessions")),
    "sheets.sheets": (Own(), ask("sheets.sheets")),
    "sign_in.change_password": (Own(), by_steps("sign_in.change_password", current=PASSWORD, new=NEW)),
    "sign_in.set_up_second_factor": (Own(), by_steps("sign_in.set_up_second_factor", password=PASSWORD)),
    "sign_in.switch_off_second_factor": (Own(), by_steps("sign_in.switch_off_second_factor", password=PASSWORD)),
    "sign_in.renew_recovery_codes": (Own(), by_steps("sign_in.renew_recovery_codes", password=PASSWORD)),
    "sign_in.with_password": (Own(), by_steps("sign_in.with_password", PASSWORD, lambda *_: True)),
    "tokens.end_api_session": (Own(), ask("tokens.end_api_session")),
    "writing.preferences": (Own(), ask("writing.preferences")),
    "writing.set_preferences": (Own(), ask("writing.set_preferences", date_format="iso")),
}
# Parts of commands that have looked before, and why they need not look again. Pages and the API do not name them.
PARTS = {
    "access.remember": "Keeps what the gate itself has just read for this actor.",
    "accounts.add_account": "Whether an account may be made is decided by the invitation, or by create_user.",
    "audit.record": "Writes down who did what; the command that did it has looked.",
}
