"""The pages of administration, as an administrator and a manager go through them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.access.access import Access
from core.access.load import get_access
from core.accounts.accounts import deactivate
from core.accounts.invitations import invite
from core.base.actor import Actor
from core.base.permissions import Level, Role, RowScope
from core.credentials.sessions import start_session
from core.jobs.queue import enqueue
from core.sharing.shares import collaborators, share_with_team, team_shares
from core.sharing.teams import add_member, create_team, teams
from core.sheets.sheets import configure_pipeline
from core.workspace.exchange_rates import Rate, exchange_rates
from core.workspace.settings import WorkspaceSettings, workspace_settings
from tests.conftest import actor
from tests.pages.opened import fine, labels, open_page, open_piece, press, said
from tests.pages.test_accounts import own_settings as own_settings  # noqa: PLC0414 - a fixture of these tests, too.
from tests.support.core.signing_in import signed_in

PAGES = ("people", "teams", "settings", "security", "system")
PEOPLE, TEAMS, SETTINGS, SECURITY, SYSTEM = (f"admin/{name}.py" for name in PAGES)


def set_field(page: AppTest, kind: str, label: str, value: object) -> None:
    next(one for one in getattr(page, kind) if one.label == label).set_value(value)


def titles(page: AppTest) -> list[str]:
    """Return the titles on the page: pages that are not offered to a user open the Sheets page instead."""
    return [title.value for title in page.title]


@pytest.fixture
def north(session: Session, ada: Actor, dan: Actor) -> int:
    team = create_team(session, ada, "North")
    add_member(session, ada, team, dan.user_id)
    return team


# --- who is offered what


@pytest.mark.parametrize("file", [TEAMS, SETTINGS, SECURITY, SYSTEM])
def test_pages_of_administration_are_not_run_for_members(session: Session, file: str) -> None:
    assert titles(open_page(session, "Ada", file)) != ["Sheets"]
    page = open_page(session, "Ann", file)
    assert titles(page) == ["Sheets"]
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        page.switch_page(file)


def test_a_manager_keeps_their_teams_and_reads_the_others(session: Session, north: int) -> None:
    session.execute(text("UPDATE users SET role = 'manager' WHERE name = 'Ann'"))
    page = open_page(session, "Ann", TEAMS)
    assert "You don't manage a team yet." in said(page)
    assert "North: Dan" in said(page)
    set_field(page, "text_input", "New team", "South")
    press(page, "Create the team")
    assert [team.name for team in teams(session, actor("Ann")) if team.members[0].name == "Ann"] == ["South"]
    assert titles(open_page(session, "Ann", PEOPLE)) == ["Sheets"]


# --- people


def test_several_people_are_invited_at_once_or_nobody(session: Session) -> None:
    page = open_page(session, "Ada", PEOPLE)
    set_field(page, "text_area", "E-mail", "eve@example.com, fay@example.com\nann@example.com")
    press(page, "Make an invitation link")
    assert "There is already an account for ann@" in said(page)
    assert session.scalar(text("SELECT count(*) FROM invitations")) == 0
    set_field(page, "text_area", "E-mail", "eve@example.com, nonsense")
    press(page, "Make an invitation link")
    assert "“nonsense”" in said(page)
    set_field(page, "text_area", "E-mail", " Eve@example.com;\nfay@example.com eve@example.com ")
    press(page, "Make an invitation link")
    assert [line.split()[0] for line in page.code[0].value.splitlines()] == ["eve@example.com", "fay@example.com"]
    assert page.code[0].value.count("/?invite=") == 2
    assert session.scalar(text("SELECT count(*) FROM invitations WHERE revoked_at IS NULL")) == 2


def test_a_single_invitation_is_a_bare_link_to_be_copied(session: Session) -> None:
    page = open_page(session, "Ada", PEOPLE)
    set_field(page, "text_area", "E-mail", "eve@example.com")
    press(page, "Make an invitation link")
    assert page.code[0].value.startswith("http")
    assert len(page.code[0].value.split()) == 1


def test_a_waiting_invitation_says_who_invited(session: Session, ada: Actor) -> None:
    invite(session, ada, email="eve@example.com", role=Role.ANALYST)
    page = open_page(session, "Ada", PEOPLE)
    assert "eve@example.com" in [one.value for one in page.text]
    assert "invited as analyst by Ada, until" in said(page)


def test_what_a_leaver_owned_is_named_and_handed_over(session: Session, ada: Actor, ben: Actor, deals: Access) -> None:
    page = open_page(session, "Ada", PEOPLE)
    assert "They own “Deals”" in said(page).replace("\\", "")
    page.button(f"active_{deals.sheet.owner_id}").click().run()
    assert "Sheets to transfer" in said(page)
    heirs = page.selectbox(f"heir_{deals.sheet.sheet_id}")
    assert not any("Ann" in name or "Cleo" in name for name in heirs.options)
    heirs.set_value(ben.user_id).run()
    press(page, "Transfer")
    assert get_access(session, ben, deals.sheet.sheet_id).level is Level.OWNER
    assert "Sheets to transfer" not in said(page)


def test_a_person_is_signed_out_and_given_a_link(session: Session, ben: Actor) -> None:
    there = signed_in(session, ben)[0]
    page = open_page(session, "Ada", PEOPLE)
    page.button(f"out_{ben.user_id}").click().run()
    ended = session.scalar(text("SELECT ended_at IS NOT NULL FROM sessions WHERE session_id = :id"), {"id": there})
    assert ended is True
    page.button(f"reset_{ben.user_id}").click().run()
    assert "/?reset=" in page.code[0].value
    assert not page.run().code


def test_where_there_are_many_people_one_is_found_by_team(session: Session, north: int) -> None:
    several = (
        "INSERT INTO users (email, name) SELECT 'p' || n || '@example.com', 'Person ' || n FROM generate_series(1, 9) n"
    )
    session.execute(text(several))
    page = open_page(session, "Ada", PEOPLE)
    assert "Person 9" in said(page)
    set_field(page, "text_input", "Find a person", "north")
    page.run()
    assert "dan@example.com" in said(page)
    assert "Person 9" not in said(page)


# --- teams


def test_a_team_is_made_filled_led_and_dissolved(session: Session, ada: Actor, ben: Actor, dan: Actor) -> None:
    def people() -> list[tuple[str, bool]]:
        return [(one.name, one.is_manager) for team in teams(session, ada) for one in team.members]

    page = open_page(session, "Ada", TEAMS)
    assert "Create the first team above." in said(page)
    set_field(page, "text_input", "New team", "North *1*")
    press(page, "Create the team")
    assert "North \\*1\\*" in said(page)
    set_field(page, "multiselect", "Add people", [ben.user_id, dan.user_id])
    press(page, "Add")
    assert people() == [("Ben", False), ("Dan", False)]
    page.toggle[1].set_value(True).run()
    assert people() == [("Dan", True), ("Ben", False)]
    press(page, "Remove")
    assert people() == [("Ben", False)]
    set_field(page, "text_input", "Name", "South")
    press(page, "Rename")
    assert [team.name for team in teams(session, ada)] == ["South"]
    press(page, "Dissolve the team")
    assert teams(session, ada) == []


def test_an_offer_waits_on_the_teams_page_and_on_the_persons_own_pages_until_it_is_answered(
    session: Session, ada: Actor, dan: Actor
) -> None:
    session.execute(text("UPDATE users SET role = 'manager' WHERE name = 'Dan'"))
    page = open_page(session, "Dan", TEAMS)
    set_field(page, "text_input", "New team", "East")
    press(page, "Create the team")
    set_field(page, "multiselect", "Add people", [2, 3])
    press(page, "Add")
    assert said(page).count("Has not accepted yet") == 2
    assert "Put in now" not in labels(page)
    for name, file, answer in (("Ann", "work/sheets.py", "Accept"), ("Ben", "account/colleagues.py", "Decline")):
        offered = open_page(session, name, file)
        assert "Dan asks you to join the team East" in said(offered)
        press(offered, answer)
        assert "asks you to join" not in said(offered)
    assert [(one.name, one.is_accepted) for one in teams(session, ada)[0].members] == [("Dan", True), ("Ann", True)]
    press(page, "Add")
    assert "Has not accepted yet" not in said(page)


def test_an_administrator_puts_somebody_in_who_has_not_accepted_yet(session: Session, dan: Actor) -> None:
    session.execute(text("UPDATE users SET role = 'manager' WHERE name = 'Dan'"))
    team = create_team(session, replace(dan, role=Role.MANAGER), "East")
    add_member(session, replace(dan, role=Role.MANAGER), team, 3)
    page = press(open_page(session, "Ada", TEAMS), "Put in now")
    assert "Has not accepted yet" not in said(page)
    assert "asks you to join" not in said(open_page(session, "Ben", "account/profile.py"))


# --- security and system


def test_an_administrator_changes_the_workspaces_settings(session: Session) -> None:
    page = open_page(session, "Ada", SETTINGS)
    set_field(page, "selectbox", "Currency", "USD")
    set_field(page, "selectbox", "Time zone", "America/New_York")
    set_field(page, "selectbox", "A week starts on", 7)
    set_field(page, "selectbox", "The fiscal year starts in", 4)
    press(page, "Save")
    assert workspace_settings(session) == WorkspaceSettings("USD", "America/New_York", 7, 4)


def test_exchange_rates_are_imported_and_edited_in_the_table(session: Session) -> None:
    page = open_page(session, "Ada", SETTINGS)
    set_field(page, "text_area", "Lines of currency, day and rate", "USD;2026-01-02;0,9\nGBP;2026-01-02;1.15")
    page = press(fine(page.run()), "Import")
    assert [rate.currency for rate in exchange_rates(session)] == ["GBP", "USD"]
    (key,) = [editor.key for editor in page.data_editor]
    added = [{"Currency": "CHF", "Day": "2026-01-03", "Rate": "1.05"}]
    page.session_state[key] = {"edited_rows": {1: {"Rate": "0.95"}}, "added_rows": added, "deleted_rows": [0]}
    press(fine(page.run()), "Save rates")
    assert exchange_rates(session) == [
        Rate("CHF", date(2026, 1, 3), Decimal("1.05")),
        Rate("USD", date(2026, 1, 2), Decimal("0.95")),
    ]


def test_somebodys_session_is_ended_from_the_list(session: Session, ben: Actor) -> None:
    there = signed_in(session, ben)[0]
    page = open_page(session, "Ada", SECURITY)
    assert "Ben · ben@example.com" in said(page)
    page.button(f"revoke_{there}").click().run()
    assert "Ben · ben@example.com" not in said(page)
    assert "Ada ended a session of Ben" in said(page)


def test_the_programs_of_a_person_are_folded_into_one_line(session: Session, ben: Actor) -> None:
    for number in range(3):
        start_session(session, ben.user_id, kind="api", address=None, user_agent=f"sync/{number}")
    page = open_page(session, "Ada", SECURITY)
    assert "Programs · 3" in [one.label for one in page.expander]
    assert "sync" not in said(page)
    assert said(page).count("ben@example.com") == 1


def test_what_happened_is_told_letter_by_letter(session: Session, ada: Actor, ben: Actor) -> None:
    session.execute(text("UPDATE users SET name = '[b](http://evil)' WHERE name = 'Ben'"))
    deactivate(session, ada, ben.user_id)
    page = open_page(session, "Ada", SECURITY)
    assert "Ada deactivated [b](http://evil)" in [one.value for one in page.text]
    assert not any("evil" in str(one.value) for one in [*page.markdown, *page.caption])


def test_the_system_page_says_what_should_be_seen_to(session: Session) -> None:
    session.execute(text("INSERT INTO mails (kind, recipient, attempts) VALUES ('reset', 'x@example.com', 3)"))
    page = open_page(session, "Ada", SYSTEM)
    assert "has not accepted yet: 1." in said(page).replace("\\", "")
    assert "PostgreSQL" in said(page)


def test_the_system_page_lists_jobs_and_cancels_one_or_runs_it_again(session: Session, ann: Actor) -> None:
    waiting = enqueue(session, "import", {}, user_id=ann.user_id)
    failed = enqueue(session, "import", {}, user_id=ann.user_id)
    session.execute(
        text("UPDATE jobs SET state = 'failed', outcome = 'Failed.', result = :result WHERE job_id = :job"),
        {"job": failed, "result": '{"message": "“Falcon” must be unique."}'},
    )
    page = open_page(session, "Ada", SYSTEM)
    assert "Ann · next run" in said(page)
    assert "Falcon" not in said(page)
    page.button(f"job_{waiting}_cancel").click().run()
    page.button(f"job_{failed}_again").click().run()
    states = session.execute(text("SELECT job_id, state FROM jobs")).tuples().all()
    assert dict(states) == {waiting: "cancelled", failed: "waiting"}


def test_jobs_that_no_worker_runs_are_to_be_seen_to(session: Session) -> None:
    enqueue(session, "mail", {})
    session.execute(text("UPDATE jobs SET run_at = now() - interval '2 minutes'"))
    assert "Background jobs that no worker runs: 1." in said(open_page(session, "Ada", SYSTEM)).replace("\\", "")


# --- sharing


# A dialog draws itself anew after each choice, which a test's page, always whole, cannot: it is opened again.
@pytest.fixture
def sharing(session: Session, deals: Access, north: int) -> Callable[[], AppTest]:
    return lambda: open_piece(session, "Ann", f"sheet.sheet_dialogs.share({deals.sheet.sheet_id})")


def test_a_team_is_given_its_own_rows_in_the_dialog(
    session: Session, ann: Actor, deals: Access, north: int, sharing: Callable[[], AppTest]
) -> None:
    page = sharing()
    whom = next(one for one in page.selectbox if one.label == "Share with")
    whom.select_index(whom.options.index("Team North"))
    set_field(page, "selectbox", "As", Level.COMMENTER)
    set_field(page, "selectbox", "Which rows", RowScope.OWN)
    next(one for one in page.button if one.label == "Share").click()
    page.run()
    (share,) = team_shares(session, get_access(session, ann, deals.sheet.sheet_id))
    assert (share.level, share.row_scope) == (Level.COMMENTER, RowScope.OWN)
    assert "1 person · its managers see the team's rows" in said(sharing())


def test_whoever_is_given_a_sheet_reads_it_unless_more_is_chosen(
    session: Session, ann: Actor, deals: Access, sharing: Callable[[], AppTest]
) -> None:
    page = sharing()
    whom = next(one for one in page.selectbox if one.label == "Share with")
    whom.select_index(whom.options.index("Team North"))
    next(one for one in page.button if one.label == "Share").click()
    page.run()
    (share,) = team_shares(session, get_access(session, ann, deals.sheet.sheet_id))
    assert share.level is Level.VIEWER


def test_people_and_public_links_stand_side_by_side_in_the_dialog(sharing: Callable[[], AppTest]) -> None:
    assert [tab.label for tab in sharing().tabs] == ["People and teams", "Public links"]


def test_level_and_rows_of_a_line_hold_as_they_are_chosen(
    session: Session, ann: Actor, ben: Actor, deals: Access, sharing: Callable[[], AppTest]
) -> None:
    def bens() -> tuple[Level, RowScope] | None:
        found = collaborators(session, get_access(session, ann, deals.sheet.sheet_id))
        return next(((one.level, one.row_scope) for one in found if one.user_id == ben.user_id), None)

    sharing().selectbox(f"rows_person_{ben.user_id}_editor_all").set_value(RowScope.TEAM).run()
    assert bens() == (Level.EDITOR, RowScope.TEAM)
    sharing().selectbox(f"level_person_{ben.user_id}_editor_team").set_value(Level.VIEWER).run()
    assert bens() == (Level.VIEWER, RowScope.TEAM)
    sharing().selectbox(f"level_person_{ben.user_id}_viewer_team").select_index(3).run()
    assert bens() is None


def test_without_an_owner_column_the_dialog_says_where_to_choose_one(
    session: Session, ann: Actor, deals: Access, north: int, sharing: Callable[[], AppTest]
) -> None:
    configure_pipeline(session, ann, deals.sheet.sheet_id, {})
    page = sharing()
    assert "Which rows" not in [one.label for one in page.selectbox]
    assert "say under “Settings” whose a row is" in said(page)


def test_the_owner_transfers_the_sheet_in_the_dialog(
    session: Session, ann: Actor, ben: Actor, deals: Access, sharing: Callable[[], AppTest]
) -> None:
    page = sharing()
    set_field(page, "selectbox", "New owner", ben.user_id)
    press(page, "Transfer the sheet")
    assert get_access(session, ben, deals.sheet.sheet_id).level is Level.OWNER
    assert get_access(session, ann, deals.sheet.sheet_id).level is Level.EDITOR


def test_a_shared_teams_people_see_it_beside_the_sheets_name(
    session: Session, ann: Actor, deals: Access, north: int
) -> None:
    share_with_team(session, ann, deals.sheet.sheet_id, north, level=Level.VIEWER)
    assert "Viewer" in said(open_page(session, "Dan", "work/grid.py", sheet=deals.sheet.sheet_id))
    assert "Share" not in labels(open_page(session, "Dan", "work/grid.py", sheet=deals.sheet.sheet_id))
