"""What core does for people beside their sheets, with what it needs and a way to ask for it."""

import importlib
import io
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pyotp
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.registration import Registration
from core.audit.trail import AuditFilter, audit_events, export_audit
from core.base.actor import require
from core.base.permissions import Permission as P
from core.base.permissions import Role, Scope
from core.imports.import_job import NewSheet, enqueue_import
from core.imports.inspection import inspect as inspect_file
from core.imports.load import import_new_sheet
from core.imports.plan import propose
from core.sign_in.second_factor import confirm_second_factor, pending_secret
from core.workspace.exchange_rates import Rate
from db.engine import transaction
from tests.conftest import PASSWORD
from tests.support.core.principals import ANNS_OPERATION, ANNS_SESSION, ARRIVAL, GUS, Anns, Needs, Own, person
from tests.support.core.sheet_commands import Call


def _kept_request(session: Session) -> bytes:
    """The digest of Ann's operation: whoever sends the same content has it, too."""
    query = text("SELECT request FROM operations WHERE operation_id = :operation")
    return bytes(session.scalar(query, {"operation": ANNS_OPERATION}) or b"")


BEN, DAN, NORTH, SOUTH, SOMETHING = 3, 5, 901, 902, 901
ANNS_JOB, FAILED_JOB = 901, 902
ANNS_TEMPLATE = 901
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
    secret, _ = pending_secret(session, person(who)) or ("", "")
    confirm_second_factor(session, who, pyotp.TOTP(secret).now())


def imported(session: Session, who: Any, _sheet: int) -> None:
    file = io.BytesIO(b"Deal\nAcme\n")
    import_new_sheet(session, who, "Imported", file, propose(inspect_file(file), None), operation_id=uuid4())


def enqueued(session: Session, who: Any, _sheet: int) -> None:
    file = io.BytesIO(b"Deal\nAcme\n")
    enqueue_import(session, who, NewSheet("Imported"), file, propose(inspect_file(file), None))


def audited(session: Session, who: Any, _sheet: int) -> str:
    file = io.BytesIO()
    export_audit(session, who, AuditFilter(), file)
    return file.getvalue().decode()


WORKSPACE_COMMANDS: dict[str, tuple[Needs, Call]] = {
    "base.actor.require": (P.PEOPLE_MANAGE, lambda _session, who, _sheet: require(who, P.PEOPLE_MANAGE)),
    "accounts.accounts.require_administrator": (P.PEOPLE_MANAGE, ask("accounts.accounts.require_administrator")),
    "accounts.accounts.managed_person": (P.PEOPLE_MANAGE, ask("accounts.accounts.managed_person", BEN)),
    "accounts.accounts.people": (P.PEOPLE_MANAGE, ask("accounts.accounts.people")),
    "accounts.accounts.create_user": (
        P.PEOPLE_MANAGE,
        ask("accounts.accounts.create_user", email="zoe@example.com", name="Zoe", role=Role.MEMBER),
    ),
    "accounts.accounts.change_role": (P.PEOPLE_MANAGE, ask("accounts.accounts.change_role", BEN, role=Role.MANAGER)),
    "accounts.accounts.deactivate": (P.PEOPLE_MANAGE, ask("accounts.accounts.deactivate", BEN)),
    "accounts.accounts.reactivate": (P.PEOPLE_MANAGE, ask("accounts.accounts.reactivate", GUS)),
    "admin.administration.live_sessions": (P.PEOPLE_MANAGE, ask("admin.administration.live_sessions")),
    "admin.administration.revoke_session": (P.PEOPLE_MANAGE, ask("admin.administration.revoke_session", ANNS_SESSION)),
    "admin.administration.sign_out_person": (P.PEOPLE_MANAGE, ask("admin.administration.sign_out_person", BEN)),
    "admin.administration.send_reset": (P.PEOPLE_MANAGE, ask("admin.administration.send_reset", BEN, url=URL)),
    "admin.administration.make_reset_link": (P.PEOPLE_MANAGE, ask("admin.administration.make_reset_link", BEN)),
    "admin.administration.security_events": (P.AUDIT_SEE, ask("admin.administration.security_events")),
    "admin.jobs.all_jobs": (P.PEOPLE_MANAGE, ask("admin.jobs.all_jobs")),
    "admin.jobs.cancel_job": (P.PEOPLE_MANAGE, ask("admin.jobs.cancel_job", ANNS_JOB)),
    "admin.jobs.run_again": (P.PEOPLE_MANAGE, ask("admin.jobs.run_again", FAILED_JOB)),
    "accounts.invitations.invitations": (P.PEOPLE_MANAGE, ask("accounts.invitations.invitations")),
    "accounts.invitations.invite": (
        P.PEOPLE_MANAGE,
        ask("accounts.invitations.invite", email="zoe@example.com", role=Role.ADMIN),
    ),
    "accounts.invitations.invite_all": (
        P.PEOPLE_MANAGE,
        ask("accounts.invitations.invite_all", "zoe@example.com", role=Role.ADMIN),
    ),
    "accounts.invitations.revoke_invitation": (
        P.PEOPLE_MANAGE,
        ask("accounts.invitations.revoke_invitation", SOMETHING),
    ),
    "accounts.registration.set_registration_policy": (
        P.PEOPLE_MANAGE,
        ask("accounts.registration.set_registration_policy", Registration.OPEN),
    ),
    "copies.saved_templates.saved_templates": (P.SHEETS_CREATE, ask("copies.saved_templates.saved_templates")),
    "copies.saved_templates.create_from_template": (
        P.SHEETS_CREATE,
        ask("copies.saved_templates.create_from_template", "Mine", ANNS_TEMPLATE),
    ),
    "copies.saved_templates.delete_template": (
        P.PEOPLE_MANAGE,
        ask("copies.saved_templates.delete_template", ANNS_TEMPLATE),
    ),
    "workspace.exchange_rates.set_exchange_rates": (
        P.PEOPLE_MANAGE,
        ask("workspace.exchange_rates.set_exchange_rates", [Rate("USD", date(2026, 1, 2), Decimal("0.9"))]),
    ),
    "workspace.exchange_rates.import_exchange_rates": (
        P.PEOPLE_MANAGE,
        ask("workspace.exchange_rates.import_exchange_rates", "USD;2026-01-02;0.9"),
    ),
    "workspace.settings.change_workspace_settings": (
        P.PEOPLE_MANAGE,
        ask("workspace.settings.change_workspace_settings", currency="USD"),
    ),
    "sign_in.second_factor.reset_second_factor": (
        P.PEOPLE_MANAGE,
        ask("sign_in.second_factor.reset_second_factor", GUS),
    ),
    "admin.health.system_health": (P.PEOPLE_MANAGE, ask("admin.health.system_health")),
    "sharing.transfer.owned_sheets": (P.PEOPLE_MANAGE, ask("sharing.transfer.owned_sheets")),
    # --- colleagues, teams and new sheets
    "accounts.directory.find_people": (P.PEOPLE_SEE, ask("accounts.directory.find_people", "ben")),
    "sharing.teams.teams": (P.PEOPLE_SEE, ask("sharing.teams.teams")),
    "sharing.teams.get_team": (P.PEOPLE_SEE, ask("sharing.teams.get_team", NORTH)),
    "sharing.teams.people_to_add": (P.TEAMS_MANAGE, ask("sharing.teams.people_to_add")),
    "sharing.teams.create_team": (P.TEAMS_MANAGE, ask("sharing.teams.create_team", "West")),
    "sharing.teams.rename_team": (P.TEAMS_MANAGE, ask("sharing.teams.rename_team", NORTH, "East")),
    "sharing.teams.delete_team": (P.TEAMS_MANAGE, ask("sharing.teams.delete_team", NORTH)),
    "sharing.teams.add_member": (P.TEAMS_MANAGE, ask("sharing.teams.add_member", NORTH, BEN)),
    "sharing.teams.add_members": (P.TEAMS_MANAGE, ask("sharing.teams.add_members", NORTH, [BEN, DAN])),
    "sharing.teams.remove_member": (P.TEAMS_MANAGE, ask("sharing.teams.remove_member", NORTH, 2)),
    "sharing.teams.my_offers": (Own(), ask("sharing.teams.my_offers")),
    "sharing.teams.accept_offer": (Anns, ask("sharing.teams.accept_offer", SOUTH)),
    "sharing.teams.decline_offer": (Anns, ask("sharing.teams.decline_offer", SOUTH)),
    "sheets.sheets.create_sheet": (P.SHEETS_CREATE, ask("sheets.sheets.create_sheet", "Mine")),
    "jobs.own_jobs.own_job": (Anns, ask("jobs.own_jobs.own_job", ANNS_JOB)),
    "jobs.own_jobs.own_unfinished_job": (Own(), ask("jobs.own_jobs.own_unfinished_job", "import")),
    "jobs.own_jobs.cancel_own_job": (Anns, ask("jobs.own_jobs.cancel_own_job", ANNS_JOB)),
    "imports.import_job.enqueue_import into a new sheet": (P.SHEETS_CREATE, enqueued),
    "imports.load.import_new_sheet": (P.SHEETS_CREATE, imported),
    # --- the audit trail: of one's own sheets, or all of it
    "audit.trail.audit_events": (Own(but=P.AUDIT_SEE), ask("audit.trail.audit_events")),
    "audit.trail.audit_events of a sheet": (
        (P.SHEET_SHARE, P.AUDIT_SEE),
        lambda session, who, sheet: audit_events(session, who, AuditFilter(sheet_id=sheet)),
    ),
    "audit.trail.audited_sheets": (Own(but=P.AUDIT_SEE), ask("audit.trail.audited_sheets")),
    "audit.trail.export_audit": (Own(but=P.AUDIT_SEE), audited),
    "audit.trail.export_audit of a sheet": (
        (P.SHEET_SHARE, P.AUDIT_SEE),
        lambda session, who, sheet: export_audit(session, who, AuditFilter(sheet_id=sheet), io.BytesIO()),
    ),
    # --- one's own account
    "sign_in.email_links.request_address_change": (
        Own(),
        by_steps("sign_in.email_links.request_address_change", "zoe@example.com", password=PASSWORD, url=URL),
    ),
    "sign_in.email_links.request_verification": (Own(), ask("sign_in.email_links.request_verification", url=URL)),
    "sign_in.email_links.is_verified": (Own(), ask("sign_in.email_links.is_verified")),
    "accounts.accounts.name_of": (Own(), ask("accounts.accounts.name_of")),
    "accounts.accounts.rename_myself": (Own(), ask("accounts.accounts.rename_myself", "Somebody Else")),
    "sign_in.api_tokens.create_token": (
        Own(),
        ask("sign_in.api_tokens.create_token", name="Mine", scope=Scope.WRITE, days=1),
    ),
    "sign_in.api_tokens.create_token that administers": (
        P.PEOPLE_MANAGE,
        ask("sign_in.api_tokens.create_token", name="Mine", scope=Scope.ADMIN, days=1),
    ),
    "sign_in.api_tokens.my_tokens": (Own(), ask("sign_in.api_tokens.my_tokens")),
    "sign_in.api_tokens.revoke_token": (Anns, ask("sign_in.api_tokens.revoke_token", SOMETHING)),
    "sign_in.oidc.pending_link": (Own(), ask("sign_in.oidc.pending_link", ARRIVAL)),
    "sign_in.oidc.link_own_account": (Own(), by_steps("sign_in.oidc.link_own_account", ARRIVAL, password=PASSWORD)),
    "edits.operation.kept_answer": (
        Own(),
        lambda session, who, sheet: _named("edits.operation.kept_answer")(
            session, sheet, who, ANNS_OPERATION, _kept_request(session)
        ),
    ),
    "credentials.revocation.sign_out_elsewhere": (Own(), ask("credentials.revocation.sign_out_elsewhere")),
    "sign_in.oidc_identities.my_identities": (Own(), ask("sign_in.oidc_identities.my_identities")),
    "sign_in.oidc_identities.unlink": (Anns, ask("sign_in.oidc_identities.unlink", "falcon")),
    "sign_in.second_factor.second_factor": (Own(), ask("sign_in.second_factor.second_factor")),
    "sign_in.second_factor.pending_secret": (Own(), ask("sign_in.second_factor.pending_secret")),
    "sign_in.second_factor.discard_pending_secret": (Own(), ask("sign_in.second_factor.discard_pending_secret")),
    "sign_in.second_factor.confirm_second_factor": (Own(), confirmed),
    "credentials.sessions.my_sessions": (Own(), ask("credentials.sessions.my_sessions")),
    "credentials.sessions.end_session": (Anns, ask("credentials.sessions.end_session", ANNS_SESSION)),
    "credentials.sessions.end_other_sessions": (Own(), ask("credentials.sessions.end_other_sessions")),
    "sheets.sheets.sheets": (Own(), ask("sheets.sheets.sheets")),
    "sheets.favourites.navigation_sheets": (Own(), ask("sheets.favourites.navigation_sheets")),
    "sign_in.password.change_password": (
        Own(),
        by_steps("sign_in.password.change_password", current=PASSWORD, new=NEW),
    ),
    "sign_in.password.set_up_second_factor": (
        Own(),
        by_steps("sign_in.password.set_up_second_factor", password=PASSWORD),
    ),
    "sign_in.password.switch_off_second_factor": (
        Own(),
        by_steps("sign_in.password.switch_off_second_factor", password=PASSWORD),
    ),
    "sign_in.password.renew_recovery_codes": (
        Own(),
        by_steps("sign_in.password.renew_recovery_codes", password=PASSWORD),
    ),
    "sign_in.password.with_password": (Own(), by_steps("sign_in.password.with_password", PASSWORD, lambda *_: True)),
    "credentials.access_tokens.end_api_session": (Own(), ask("credentials.access_tokens.end_api_session")),
    "accounts.locale.get_locale": (Own(), ask("accounts.locale.get_locale")),
    "accounts.locale.own_time_zone": (Own(), ask("accounts.locale.own_time_zone")),
    "accounts.locale.set_locale": (Own(), ask("accounts.locale.set_locale", date_format="iso")),
}
# Parts of commands that have looked before, and why they need not look again. Pages and the API do not name them.
PARTS = {
    "copies.structure.create_from_structure": "Makes a sheet by create_sheet, which looks at the role.",
    "accounts.accounts.add_account": "Whether an account may be made is decided by the invitation, or by create_user.",
    "edits.operation.carry_out": "Asks the gate for what the command says that it needs.",
    "edits.operation.carry_out_together": "Asks the gate of each sheet for what the command says that it needs.",
    "access.access.no_related_rows": "Shows nothing to anybody.",
    "access.load.load_related": "Asks the gate of the related sheet, and shows nothing where it refuses.",
    "sheets.related_columns.check_new": "Asks the gate of the sheet that a relation points to.",
    "sheets.related_columns.retire_mirror": "The command that retires the relation has asked the gate of its sheet.",
    "sheets.related_columns.restore_mirror": "The command that restores the relation has asked the gate of its sheet.",
    "base.audit.record": "Writes down who did what; the command that did it has looked.",
}
