"""What is audited: every command that writes has its event, in the same transaction, or stands here with the reason."""

import ast
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.accounts import accounts, invitations, registration
from core.accounts.registration import Registration
from core.admin import administration, jobs
from core.audit.kinds import Kind
from core.audit.sentences import SENTENCES
from core.audit.trail import AuditFilter, audit_events, export_audit
from core.base.actor import Actor
from core.base.errors import Refused
from core.base.permissions import Level, Role, Scope
from core.comments import comments
from core.config.settings import settings
from core.copies import duplicate, saved_templates
from core.credentials import access_tokens, login_tickets, revocation, sessions
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.change_type import change_type
from core.edits.conversion import NewType
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.exports import export_rows
from core.imports.inspection import inspect as inspect_file
from core.imports.load import import_new_sheet, import_rows
from core.imports.plan import propose
from core.jobs.queue import enqueue
from core.rows.query import View
from core.sharing import public_link_visits, public_links, shares, teams, transfer
from core.sheets import columns, sheets
from core.sheets.columns import NewColumn
from core.sheets.sales_columns import add_sales_columns
from core.sign_in import api_tokens, email_links, oidc_identities, second_factor
from core.sign_in import password as sign_in
from core.views import edit_views
from core.workspace import exchange_rates
from core.workspace.settings import change_workspace_settings
from db.engine import transaction
from tests.conftest import PASSWORD, actor
from tests.support.core.signing_in import HOME, KEY
from tests.support.core.writers import public_writers

CELL = "Project Falcon, 4711"
SECRET = "another good password"
ADA, ANN, BEN, CLEO, DAN = range(1, 6)
ACTION = re.compile("(account|team|sheet|workspace):[a-z-]+:[a-z-]*")
URL = "http://here"


@dataclass
class Scene:
    """A sheet of Ann's with a row, a team, a link and so on; `do` is what a case does, `gone` what it let slip."""

    session: Session
    sheet: int
    slips: list[object] = field(default_factory=list)

    def by(self, who: str, command: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A command as one of the cast; what it answers must not be in the trail."""
        return self.kept(command(self.session, actor(who), *args, **kwargs))

    def kept(self, answer: Any) -> Any:
        self.slips.append(answer)
        return answer

    def session_of(self, who: str) -> Any:
        found = sessions.start_session(
            self.session, actor(who).user_id, kind="browser", address=HOME, user_agent="Firefox"
        )
        self.kept(found[1])
        return found[0]

    def team(self) -> int:
        return self.by("Ada", teams.create_team, "North")

    def link(self, **wishes: Any) -> tuple[int, str]:
        return self.by("Ann", public_links.create_link, self.sheet, **wishes)

    def view(self, *, is_shared: bool = True) -> int:
        return self.by("Ann", edit_views.create_view, self.sheet, "A view", is_shared=is_shared).view_id

    def sign_in(self, password: str = PASSWORD, email: str = "ann@example.com", **more: Any) -> Any:
        grant = partial(access_tokens.grant_tokens, key=KEY, address=HOME, user_agent="")
        return self.kept(
            sign_in.sign_in(
                transaction, email, password, address=HOME, grant=grant, without_code=lambda *_: "pending", **more
            )
        )

    def app(self) -> pyotp.TOTP:
        sign_in.set_up_second_factor(transaction, actor("Ann"), password=PASSWORD)
        secret, _ = self.by("Ann", second_factor.pending_secret)
        return pyotp.TOTP(secret)

    def codes(self) -> list[str]:
        return self.by("Ann", second_factor.confirm_second_factor, self.app().now())


def template_of(scene: Scene) -> int:
    template: int = scene.by("Ann", saved_templates.save_template, scene.sheet, "Ours")
    return template


def guess(scene: Scene, times: int) -> None:
    _, token = scene.link(password=SECRET)
    for _ in range(times):
        with pytest.raises(Refused):
            public_link_visits.open_link(transaction, token, password="a wrong guess", address=HOME)


def wrong(scene: Scene, times: int) -> None:
    for _ in range(times):
        assert scene.sign_in("a wrong guess") is None


def reuse(scene: Scene) -> None:
    pair = scene.sign_in()
    for agent in ("x", "another client"):
        refresh = partial(access_tokens.refresh_tokens, scene.session, pair.refresh_token, key=KEY, address=HOME)
        scene.kept(refresh(user_agent=agent))


def pending(scene: Scene) -> str:
    nonce = "a nonce of the browser"
    token = login_tickets.create_pending_ticket(scene.session, ANN, nonce=nonce)
    sign_in.sign_in_with_code(
        transaction, scene.kept(token), "000000", nonce=nonce, address=HOME, grant=lambda *_: "ticket"
    )
    return token


def redeemed(scene: Scene) -> None:
    ticket = scene.kept(login_tickets.create_ticket(scene.session, ANN, nonce="a nonce of the browser"))
    scene.kept(
        login_tickets.redeem_ticket(scene.session, ticket, nonce="a nonce of the browser", address=HOME, user_agent="")
    )


def imported(scene: Scene, *, new: bool = False) -> None:
    file = io.BytesIO(f'Deal\n"{CELL}"\n'.encode())
    found = inspect_file(file)
    if new:
        plan = propose(found, None)
        import_new_sheet(scene.session, actor("Ann"), "Imported", file, plan, operation_id=uuid4())
    else:
        plan = propose(found, get_access(scene.session, actor("Ann"), scene.sheet))
        import_rows(scene.session, actor("Ann"), scene.sheet, file, plan, operation_id=uuid4())


def invited(scene: Scene) -> None:
    token = scene.by("Ada", invitations.invite, email="eve@example.com", role=Role.MEMBER)
    invitations.accept_invitation(scene.session, token, email="", name="Eve", password=SECRET)


def job_of(scene: Scene, state: str = "waiting") -> int:
    job_id = enqueue(scene.session, "import", {"text": CELL}, user_id=ANN)
    scene.session.execute(text("UPDATE jobs SET state = :state"), {"state": state})
    return job_id


def uninvited(scene: Scene) -> None:
    scene.by("Ada", invitations.invite, email="eve@example.com", role=Role.MEMBER)
    (waiting,) = scene.by("Ada", invitations.invitations)
    scene.by("Ada", invitations.revoke_invitation, waiting.invitation_id)


def readdressed(scene: Scene, email: str) -> None:
    token = scene.kept(email_links.address_link(scene.session, ANN, email))
    email_links.confirm_address(scene.session, token)


def reset(scene: Scene) -> None:
    token = scene.kept(email_links.reset_link(scene.session, "ann@example.com"))
    email_links.reset_password(scene.session, token, SECRET)


def recovered(scene: Scene) -> None:
    second_factor.is_second_factor(scene.session, ANN, scene.codes()[0])


def switched_off(scene: Scene) -> None:
    scene.codes()
    sign_in.switch_off_second_factor(transaction, actor("Ann"), password=PASSWORD)


def factor_reset(scene: Scene) -> None:
    scene.codes()
    scene.by("Ada", second_factor.reset_second_factor, ANN)


def changed_link(scene: Scene) -> None:
    scene.by("Ann", public_links.change_link, scene.sheet, scene.link()[0], password=SECRET)


def on_sheet(command: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[[Scene], Any]:
    return lambda scene: scene.by("Ann", command, scene.sheet, *args, **kwargs)


def on_view(command: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[[Scene], Any]:
    return lambda scene: scene.by("Ann", command, scene.sheet, scene.view(), *args, **kwargs)


def saved_view(scene: Scene) -> None:
    """The filter has a value of a cell, which must not be in the trail."""
    view = scene.view()
    condition = {"column": 1, "op": "contains", "value": CELL}
    scene.by("Ann", edit_views.change_settings, scene.sheet, view, {"filter": [condition]})
    scene.by("Ann", edit_views.save_for_everyone, scene.sheet, view)


def by_ada(command: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[[Scene], Any]:
    return lambda scene: scene.by("Ada", command, *args, **kwargs)


def by_ann(command: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[[Scene], Any]:
    return lambda scene: scene.by("Ann", command, *args, **kwargs)


def with_team(command: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[[Scene], Any]:
    return lambda scene: scene.by("Ada", command, scene.team(), *args, **kwargs)


def said(scene: Scene) -> int:
    """The number of a comment on the row."""
    return int(scene.by("Ann", comments.add_comment, scene.sheet, 1, CELL))


def managing(session: Session, ada: Actor, team: int, user: int) -> None:
    """Somebody who is in the team manages it, and then no longer."""
    for is_manager in (False, True, False):
        teams.add_member(session, ada, team, user, is_manager=is_manager)


def offered(scene: Scene, user: int) -> int:
    """A team of Dan's, a manager, who puts somebody into it."""
    scene.session.execute(text("UPDATE users SET role = 'manager' WHERE name = 'Dan'"))
    dan = replace(actor("Dan"), role=Role.MANAGER)
    team = teams.create_team(scene.session, dan, "East")
    teams.add_member(scene.session, dan, team, user)
    return team


def team_shared(scene: Scene) -> int:
    team = scene.team()
    scene.by("Ann", shares.share_with_team, scene.sheet, team, level=Level.VIEWER)
    return team


# The command, the event that it leaves, and what is done. A command may stand here several times.
CASES: list[tuple[str, str, Callable[[Scene], Any]]] = [
    ("sign_in.password.sign_in", "account:sign-in:fail", lambda scene: wrong(scene, 1)),
    ("sign_in.password.sign_in", "account:sign-in:throttle", lambda scene: wrong(scene, 6)),
    ("sign_in.password.sign_in_with_code", "account:sign-in:fail", lambda scene: (scene.codes(), pending(scene))),
    ("credentials.login_tickets.redeem_ticket", "account:session:start", redeemed),
    ("credentials.access_tokens.grant_tokens", "account:session:start", Scene.sign_in),
    ("credentials.access_tokens.refresh_tokens", "account:session:reuse", reuse),
    ("credentials.access_tokens.end_api_session", "account:session:end", by_ann(access_tokens.end_api_session)),
    (
        "credentials.sessions.end_session",
        "account:session:end",
        lambda scene: scene.by("Ann", sessions.end_session, scene.session_of("Ann")),
    ),
    ("credentials.sessions.end_other_sessions", "account:session:end-others", by_ann(sessions.end_other_sessions)),
    (
        "credentials.revocation.sign_out_elsewhere",
        "account:token:revoke-all",
        by_ann(revocation.sign_out_elsewhere, tokens=True),
    ),
    (
        "admin.administration.revoke_session",
        "account:session:revoke",
        lambda scene: scene.by("Ada", administration.revoke_session, scene.session_of("Ben")),
    ),
    ("admin.administration.sign_out_person", "account:session:revoke-all", by_ada(administration.sign_out_person, BEN)),
    ("admin.administration.send_reset", "account:password:reset-link", by_ada(administration.send_reset, BEN, url=URL)),
    (
        "admin.administration.make_reset_link",
        "account:password:reset-link",
        by_ada(administration.make_reset_link, BEN),
    ),
    (
        "accounts.accounts.create_user",
        "account:user:create",
        by_ada(accounts.create_user, email="eve@example.com", name="Eve", role=Role.MEMBER, password=SECRET),
    ),
    (
        "accounts.accounts.add_account",
        "account:user:create",
        by_ada(accounts.add_account, email="eve@example.com", name="Eve", role=Role.MEMBER, password=SECRET),
    ),
    ("accounts.accounts.change_role", "account:user:role", by_ada(accounts.change_role, BEN, role=Role.MANAGER)),
    ("accounts.accounts.deactivate", "account:user:deactivate", by_ada(accounts.deactivate, BEN)),
    ("accounts.accounts.reactivate", "account:user:reactivate", by_ada(accounts.reactivate, BEN)),
    ("accounts.accounts.rename_myself", "account:user:rename", by_ann(accounts.rename_myself, "Anna")),
    (
        "sign_in.password.change_password",
        "account:password:change",
        lambda _: sign_in.change_password(transaction, actor("Ann"), current=PASSWORD, new=SECRET),
    ),
    (
        "sign_in.email_links.request_password_reset",
        "account:password:ask",
        lambda scene: email_links.request_password_reset(scene.session, "ann@example.com", address=HOME, url=URL),
    ),
    ("sign_in.email_links.reset_password", "account:password:reset", reset),
    (
        "sign_in.email_links.request_address_change",
        "account:email:ask",
        lambda _: email_links.request_address_change(
            transaction, actor("Ann"), "anna@x.com", password=PASSWORD, url=URL
        ),
    ),
    (
        "sign_in.email_links.request_verification",
        "account:email:ask",
        by_ann(email_links.request_verification, url=URL),
    ),
    ("sign_in.email_links.confirm_address", "account:email:change", lambda scene: readdressed(scene, "anna@x.com")),
    (
        "sign_in.email_links.confirm_address",
        "account:email:verify",
        lambda scene: readdressed(scene, "ann@example.com"),
    ),
    ("sign_in.second_factor.confirm_second_factor", "account:second-factor:on", Scene.codes),
    ("sign_in.second_factor.is_second_factor", "account:second-factor:recover", recovered),
    ("sign_in.second_factor.reset_second_factor", "account:second-factor:reset", factor_reset),
    ("sign_in.password.switch_off_second_factor", "account:second-factor:off", switched_off),
    (
        "sign_in.password.renew_recovery_codes",
        "account:second-factor:renew",
        lambda scene: scene.kept(sign_in.renew_recovery_codes(transaction, actor("Ann"), password=PASSWORD)),
    ),
    (
        "sign_in.api_tokens.create_token",
        "account:token:create",
        by_ann(api_tokens.create_token, name="Mine", scope=Scope.READ, days=1),
    ),
    (
        "sign_in.api_tokens.revoke_token",
        "account:token:revoke",
        lambda scene: (
            scene.by("Ann", api_tokens.create_token, name="Mine", scope=Scope.READ, days=1),
            scene.by("Ann", api_tokens.revoke_token, scene.by("Ann", api_tokens.my_tokens)[0].token_id),
        ),
    ),
    ("comments.comments.add_comment", "sheet:comment:add", on_sheet(comments.add_comment, 1, CELL)),
    (
        "comments.comments.edit_comment",
        "sheet:comment:edit",
        lambda scene: scene.by("Ann", comments.edit_comment, scene.sheet, 1, said(scene), body=CELL),
    ),
    (
        "comments.comments.delete_comment",
        "sheet:comment:delete",
        lambda scene: scene.by("Ann", comments.delete_comment, scene.sheet, 1, said(scene)),
    ),
    (
        "sign_in.oidc_identities.add_identity",
        "account:provider:link",
        lambda scene: oidc_identities.add_identity(scene.session, ANN, "https://id.example.com", "4711"),
    ),
    (
        "sign_in.oidc_identities.unlink",
        "account:provider:unlink",
        lambda scene: (
            oidc_identities.add_identity(scene.session, ANN, "https://id.example.com", "4711"),
            scene.by("Ann", oidc_identities.unlink, "https://id.example.com"),
        ),
    ),
    (
        "accounts.invitations.first_admin_link",
        "account:invitation:create",
        lambda scene: (
            scene.session.execute(text("UPDATE users SET role = 'member'")),
            scene.kept(invitations.first_admin_link(scene.session, URL)),
        ),
    ),
    (
        "accounts.invitations.invite",
        "account:invitation:create",
        by_ada(invitations.invite, email="eve@example.com", role=Role.MEMBER),
    ),
    (
        "accounts.invitations.invite_all",
        "account:invitation:create",
        by_ada(invitations.invite_all, "eve@example.com", role=Role.MEMBER),
    ),
    (
        "accounts.invitations.revoke_invitation",
        "account:invitation:revoke",
        uninvited,
    ),
    ("accounts.invitations.accept_invitation", "account:invitation:accept", invited),
    (
        "accounts.registration.set_registration_policy",
        "account:registration:change",
        by_ada(registration.set_registration_policy, Registration.OPEN),
    ),
    (
        "accounts.registration.request_registration",
        "account:registration:ask",
        lambda scene: (
            scene.by("Ada", registration.set_registration_policy, Registration.OPEN),
            registration.request_registration(scene.session, "eve@example.com", address=HOME, url=URL),
        ),
    ),
    (
        "workspace.exchange_rates.set_exchange_rates",
        "workspace:rates:change",
        by_ada(exchange_rates.set_exchange_rates, [exchange_rates.Rate("USD", date(2026, 1, 2), Decimal("0.9"))]),
    ),
    (
        "workspace.exchange_rates.import_exchange_rates",
        "workspace:rates:change",
        by_ada(exchange_rates.import_exchange_rates, "USD;2026-01-02;0.9"),
    ),
    (
        "workspace.settings.change_workspace_settings",
        "workspace:settings:change",
        by_ada(change_workspace_settings, time_zone="Europe/Berlin"),
    ),
    (
        "workspace.settings.change_workspace_settings",
        "workspace:currency:change",
        by_ada(change_workspace_settings, currency="USD"),
    ),
    ("admin.jobs.cancel_job", "workspace:job:cancel", lambda scene: scene.by("Ada", jobs.cancel_job, job_of(scene))),
    (
        "admin.jobs.run_again",
        "workspace:job:run-again",
        lambda scene: scene.by("Ada", jobs.run_again, job_of(scene, "failed")),
    ),
    ("sharing.teams.create_team", "team:team:create", Scene.team),
    ("sharing.teams.rename_team", "team:team:rename", with_team(teams.rename_team, "South")),
    ("sharing.teams.delete_team", "team:team:delete", with_team(teams.delete_team)),
    ("sharing.teams.add_member", "team:member:add", with_team(teams.add_member, BEN)),
    ("sharing.teams.add_member", "team:member:manage", with_team(managing, BEN)),
    ("sharing.teams.add_member", "team:member:offer", lambda scene: offered(scene, BEN)),
    (
        "sharing.teams.add_member",
        "sheet:share:reach",
        lambda scene: scene.by("Ada", teams.add_member, team_shared(scene), BEN),
    ),
    (
        "sharing.teams.accept_offer",
        "team:member:accept",
        lambda scene: scene.by("Ben", teams.accept_offer, offered(scene, BEN)),
    ),
    (
        "sharing.teams.decline_offer",
        "team:member:decline",
        lambda scene: scene.by("Ben", teams.decline_offer, offered(scene, BEN)),
    ),
    ("sharing.teams.add_members", "team:member:add", with_team(teams.add_members, [BEN, CLEO])),
    (
        "sharing.teams.remove_member",
        "team:member:remove",
        lambda scene: (
            scene.by("Ada", teams.add_member, team := scene.team(), BEN),
            scene.by("Ada", teams.remove_member, team, BEN),
        ),
    ),
    ("sharing.shares.share_sheet", "sheet:share:grant", on_sheet(shares.share_sheet, DAN, level=Level.VIEWER)),
    ("sharing.shares.unshare_sheet", "sheet:share:revoke", on_sheet(shares.unshare_sheet, BEN)),
    ("sharing.shares.share_with_team", "sheet:share:grant", team_shared),
    (
        "sharing.shares.unshare_team",
        "sheet:share:revoke",
        lambda scene: scene.by("Ann", shares.unshare_team, scene.sheet, team_shared(scene)),
    ),
    (
        "sharing.shares.share_with_workspace",
        "sheet:share:workspace",
        on_sheet(shares.share_with_workspace, level=Level.VIEWER),
    ),
    ("sharing.transfer.transfer_sheet", "sheet:share:transfer", on_sheet(transfer.transfer_sheet, BEN)),
    ("sharing.public_links.create_link", "sheet:link:create", lambda scene: scene.link(password=SECRET)),
    ("sharing.public_links.change_link", "sheet:link:change", changed_link),
    (
        "sharing.public_links.revoke_link",
        "sheet:link:revoke",
        lambda scene: scene.by("Ann", public_links.revoke_link, scene.sheet, scene.link()[0]),
    ),
    (
        "sharing.public_link_visits.open_link",
        "sheet:link:open",
        lambda scene: scene.kept(public_link_visits.open_link(transaction, scene.link()[1], address=HOME).token),
    ),
    ("sharing.public_link_visits.open_link", "sheet:link:fail", lambda scene: guess(scene, 1)),
    ("sharing.public_link_visits.open_link", "sheet:link:throttle", lambda scene: guess(scene, 7)),
    ("exports.export_rows", "sheet:rows:export", on_sheet(export_rows, View(), io.BytesIO(), file_format="csv")),
    ("audit.trail.export_audit", "workspace:audit:export", by_ada(export_audit, AuditFilter(), io.BytesIO())),
    ("imports.load.import_rows", "sheet:rows:import", imported),
    ("imports.load.import_new_sheet", "sheet:sheet:create", lambda scene: imported(scene, new=True)),
    ("sheets.sheets.create_sheet", "sheet:sheet:create", by_ann(sheets.create_sheet, "New")),
    (
        "copies.duplicate.duplicate_sheet",
        "sheet:sheet:copy",
        on_sheet(duplicate.duplicate_sheet, "A copy", with_rows=True, operation_id=uuid4()),
    ),
    (
        "copies.saved_templates.save_template",
        "workspace:template:save",
        on_sheet(saved_templates.save_template, "Ours"),
    ),
    (
        "copies.saved_templates.create_from_template",
        "sheet:sheet:create",
        lambda scene: scene.by("Ben", saved_templates.create_from_template, "New", template_of(scene)),
    ),
    (
        "copies.saved_templates.delete_template",
        "workspace:template:delete",
        lambda scene: scene.by("Ann", saved_templates.delete_template, template_of(scene)),
    ),
    ("sheets.sheets.rename_sheet", "sheet:sheet:rename", on_sheet(sheets.rename_sheet, "New")),
    ("sheets.sheets.describe_sheet", "sheet:sheet:describe", on_sheet(sheets.describe_sheet, "Ours")),
    ("sheets.sheets.configure_pipeline", "sheet:sheet:configure", on_sheet(sheets.configure_pipeline, {})),
    ("sheets.sheets.choose_owner_column", "sheet:sheet:configure", on_sheet(sheets.choose_owner_column, 5)),
    ("sheets.sheets.archive_sheet", "sheet:sheet:archive", on_sheet(sheets.archive_sheet)),
    (
        "sheets.sheets.restore_sheet",
        "sheet:sheet:restore",
        lambda scene: (on_sheet(sheets.archive_sheet)(scene), on_sheet(sheets.restore_sheet)(scene)),
    ),
    (
        "views.edit_views.create_view",
        "sheet:view:create",
        lambda scene: scene.by("Ann", edit_views.create_view, scene.sheet, "Open deals", is_shared=True),
    ),
    ("views.edit_views.rename_view", "sheet:view:rename", on_view(edit_views.rename_view, "Open")),
    ("views.edit_views.save_for_everyone", "sheet:view:change", saved_view),
    ("views.edit_views.share_view", "sheet:view:unshare", on_view(edit_views.share_view, is_shared=False)),
    (
        "views.edit_views.share_view",
        "sheet:view:share",
        lambda scene: scene.by("Ann", edit_views.share_view, scene.sheet, scene.view(is_shared=False), is_shared=True),
    ),
    ("views.edit_views.delete_view", "sheet:view:delete", on_view(edit_views.delete_view)),
    ("sheets.columns.add_column", "sheet:column:add", on_sheet(columns.add_column, NewColumn("New", "text"))),
    ("sheets.sales_columns.add_sales_columns", "sheet:column:add", on_sheet(add_sales_columns)),
    ("sheets.columns.add_columns", "sheet:column:add", on_sheet(columns.add_columns, [NewColumn("New", "text")])),
    ("sheets.columns.change_column", "sheet:column:change", on_sheet(columns.change_column, 2, name="Company")),
    (
        "edits.change_type.change_type",
        "sheet:column:type",
        on_sheet(change_type, 11, NewType("text"), operation_id=uuid4()),
    ),
    ("sheets.columns.reorder_columns", "sheet:column:reorder", on_sheet(columns.reorder_columns, [2, 1])),
    ("sheets.columns.limit_column", "sheet:column:limit", on_sheet(columns.limit_column, 2, {"viewer": "hidden"})),
    ("sheets.columns.retire_column", "sheet:column:retire", on_sheet(columns.retire_column, 11)),
    (
        "sheets.columns.restore_column",
        "sheet:column:restore",
        lambda scene: (on_sheet(columns.retire_column, 11)(scene), on_sheet(columns.restore_column, 11)(scene)),
    ),
]
# The change log tells of these, line by line, with who, when and what: core.history.
TOLD_BY_THE_CHANGE_LOG = {
    "edits.write.write",
    "edits.write.write_round",
    "edits.optimistic.write_edits",
    "edits.operation.carry_out",
    "edits.operation.carry_out_together",
    "edits.operation.lock_again",
    "edits.trash.restore_rows",
    "edits.undo.undo",
    "edits.undo.redo",
}
# What writes and has no event of its own, and why.
WITHOUT = {
    "a part of commands that record what they do": {
        "credentials.revocation.revoke_credentials",
        "credentials.revocation.revoke_api_tokens",
        "credentials.sessions.end_user_sessions",
        "limits.known_devices.remember_device",
        "credentials.sessions.start_session",
        "sign_in.second_factor.remove_second_factor",
        "sign_in.second_factor.new_recovery_codes",
        "sign_in.password.with_password",
        "imports.staging.staged",
        "accounts.invitations.use_invitations",
        "access.row_ownership.assign_default_owner_staged",
        "workspace.stored.store_setting",
        "copies.structure.create_from_structure",
        "sheets.columns.touch_columns",
        *(f"sheets.column_types.{name}" for name in ("add_beside", "restore_added", "retire_added")),
        "sheets.column_types.store_type",
        "sheets.related_columns.carry_currency",
        "sheets.related_columns.restore_mirror",
        "sheets.related_columns.retire_mirror",
    },
    "a step of a sign-in, whose end is recorded either way": {
        "limits.login_throttle.record_attempt",
        "limits.login_throttle.discard_attempt",
        "limits.login_throttle.clear_failures",
        "credentials.login_tickets.create_ticket",
        "credentials.login_tickets.create_pending_ticket",
        "credentials.login_tickets.delete_pending_ticket",
    },
    "arrives from a provider: what is linked and who is let in is recorded by what it calls": {
        "sign_in.oidc.discard_pending",
        "sign_in.oidc.link_own_account",
        "sign_in.oidc.link_with_password",
        "sign_in.oidc.store_claims",
        "sign_in.oidc.complete_sign_in",
    },
    "begins what counts only once it is confirmed": {
        "sign_in.second_factor.create_pending_factor",
        "sign_in.password.set_up_second_factor",
        "sign_in.second_factor.discard_pending_secret",
    },
    "makes the link in a letter whose order is recorded": {
        "sign_in.email_links.address_link",
        "sign_in.email_links.reset_link",
        "accounts.invitations.mailed_token",
        "accounts.invitations.registration_token",
        "mail.outbox.queue_mail",
        "mail.outbox.send_due_mail",
    },
    "notes that somebody is there, or when something was used": {
        "sign_in.api_tokens.actor_of_token",
        "sharing.public_links.visitor_of",
        "presence.presence.save_positions",
    },
    "how one person likes to see things": {
        "accounts.locale.set_locale",
        "sheets.favourites.set_favourite",
        "views.edit_views.duplicate_view",
        "views.edit_views.change_settings",
        "views.edit_views.discard_changes",
        "views.edit_views.remember_view",
    },
    "the order of tabs: no right and no row depends on it": {"views.edit_views.reorder_views"},
    "deletes what is over": {"admin.cleanup.delete_expired"},
    "the queue of background jobs: what a handler does is recorded by the commands that it calls": {
        *("jobs.queue.enqueue", "jobs.queue.enqueue_once", "jobs.queue.schedule", "jobs.queue.run_now"),
        *("jobs.queue.claim", "jobs.queue.renew", "jobs.queue.finish", "jobs.queue.retry_later", "jobs.queue.release"),
        *("jobs.files.store_file", "imports.import_job.enqueue_import"),
    },
    "a person ends what they started themselves": {"jobs.own_jobs.cancel_own_job", "jobs.own_jobs.request_cancel"},
    "the demo, made of audited commands": {"demo.seed.seed"},
}


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CONTRIVANCE_DATA", str(tmp_path / "data"))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def scene(session: Session, deals: Access, ann: Actor) -> Scene:
    batch = Batch(adds=(NewRow("a", {1: CellInput(CELL)}),))
    write(session, ann, deals.sheet.sheet_id, batch, operation_id=uuid4(), source=ChangeSource.API)
    return Scene(session, deals.sheet.sheet_id)


@pytest.mark.parametrize(("event", "do"), [pytest.param(e, do, id=f"{name} {e}") for name, e, do in CASES])
def test_a_command_leaves_its_event_with_a_sentence_and_without_a_secret(
    session: Session, ada: Actor, scene: Scene, event: str, do: Callable[[Scene], Any]
) -> None:
    last = session.scalar(text("SELECT max(event_id) FROM audit_events"))
    do(scene)
    found = [line for line in audit_events(session, ada) if line.event_id > last]
    assert event in {line.action for line in found}
    assert {line.action for line in found} <= set(SENTENCES)
    trail = json.dumps([line.facts for line in found]) + " ".join(line.sentence for line in found)
    secrets = [CELL, SECRET, PASSWORD, "a wrong guess", *secret_texts(scene.slips)]
    assert [secret for secret in secrets if secret in trail] == []
    assert "unknown" not in trail


def secret_texts(answers: Any) -> Iterator[str]:
    """Whatever texts commands answered that could be a token: all long ones in one piece but addresses."""
    if isinstance(answers, str):
        if len(answers) >= 16 and " " not in answers and "@" not in answers:
            yield answers.rpartition("=")[2]
    elif isinstance(answers, dict):
        yield from secret_texts([*answers.values()])
    elif isinstance(answers, list | tuple):
        for answer in answers:
            yield from secret_texts(answer)
    elif isinstance(answers, access_tokens.TokenPair):
        yield from (answers.access_token, answers.refresh_token)


def test_every_command_that_writes_is_audited_or_stands_here_with_the_reason() -> None:
    excused = TOLD_BY_THE_CHANGE_LOG.union(*WITHOUT.values())
    assert sorted(set(public_writers()) - {name for name, _, _ in CASES} - excused) == []
    assert sorted(excused - set(public_writers())) == [], "What is excused is there, and writes."


def test_what_is_said_to_be_audited_reaches_the_trail() -> None:
    audited = {name for name, reaches in public_writers().items() if reaches}
    assert sorted({name for name, _, _ in CASES} - audited) == []


def test_every_event_of_the_code_has_a_case_and_a_sentence() -> None:
    left = set(SENTENCES) - {event for _, event, _ in CASES}
    assert left == set(), "An event that no case leaves."


def test_every_action_that_the_code_records_has_a_kind_and_a_sentence() -> None:
    """An action is written out where it is recorded, so that it can be read off the code."""
    recorded, unreadable = set[str](), []
    for path in sorted((Path(__file__).parents[3] / "core").rglob("*.py")):
        if path.match("core/audit/sentences.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and ACTION.fullmatch(str(node.value)):
                recorded.add(str(node.value))
            if isinstance(node, ast.JoinedStr) and ACTION.match(ast.unparse(node)[2:]):
                unreadable.append(f"{path.name}:{node.lineno}")
    assert unreadable == []
    assert sorted(recorded - set(SENTENCES)) == []
    assert sorted(set(SENTENCES) - recorded) == [], "A sentence of something that is not recorded."
    assert [action for action in SENTENCES if Kind.of(action) is None] == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: columns.change_column(*s, 2, name="Account", description="", rules={}), []),
        (lambda s: columns.change_column(*s, 2, name="Account", description="Who buys", rules={}), ["column:change"]),
        (lambda s: columns.limit_column(*s, 2, {"viewer": None}), []),
        (lambda s: columns.limit_column(*s, 2, {"viewer": "hidden"}), ["column:limit"]),
        (lambda s: sheets.rename_sheet(*s, "Deals"), []),
        (lambda s: sheets.describe_sheet(*s, get_access(*s).sheet.description), []),
        (lambda s: sheets.restore_sheet(*s), []),
        (lambda s: sheets.configure_pipeline(*s, get_access(*s).sheet.pipeline), []),
    ],
)
def test_only_what_changes_is_told(
    session: Session, ada: Actor, scene: Scene, change: Callable[[Any], Any], told: list[str]
) -> None:
    before = len(audit_events(session, ada))
    change((session, actor("Ann"), scene.sheet))
    found = audit_events(session, ada)[: len(audit_events(session, ada)) - before]
    assert [line.action.removeprefix("sheet:") for line in found] == told
    assert all(line.facts.get("changed", ["description"]) == ["description"] for line in found)


def test_an_event_is_gone_with_what_it_tells_of(session: Session, ada: Actor, scene: Scene) -> None:
    before = [line.event_id for line in audit_events(session, ada)]
    with pytest.raises(ZeroDivisionError), transaction() as inner:
        sheets.rename_sheet(inner, actor("Ann"), scene.sheet, "New")
        raise ZeroDivisionError
    assert [line.event_id for line in audit_events(session, ada)] == before
