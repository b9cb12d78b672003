"""Sharing: one by one or with everybody, at once and taken back at once."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound
from core.base.permissions import Level, RowScope
from core.sharing.shares import (
    collaborators,
    people_to_share_with,
    share_sheet,
    share_with_team,
    share_with_workspace,
    team_shares,
    teams_to_share_with,
    unshare_sheet,
    unshare_team,
)
from core.sharing.teams import add_member, create_team
from core.sheets.sheets import choose_owner_column, configure_pipeline


def levels(session: Session, actor: Actor, sheet: int) -> dict[str, Level]:
    return {person.name: person.level for person in collaborators(session, get_access(session, actor, sheet))}


def test_the_owner_stands_first_and_the_others_by_name(session: Session, ben: Actor, deals: Access) -> None:
    found = levels(session, ben, deals.sheet.sheet_id)
    assert list(found.items()) == [("Ann", Level.OWNER), ("Ben", Level.EDITOR), ("Cleo", Level.VIEWER)]


def test_sharing_again_changes_the_level(session: Session, ann: Actor, ben: Actor, deals: Access) -> None:
    share_sheet(session, ann, deals.sheet.sheet_id, ben.user_id, level=Level.VIEWER)
    assert get_access(session, ben, deals.sheet.sheet_id).level is Level.VIEWER


def test_what_is_taken_back_is_gone_at_once(session: Session, ann: Actor, ben: Actor, deals: Access) -> None:
    unshare_sheet(session, ann, deals.sheet.sheet_id, ben.user_id)
    with pytest.raises(NotFound):
        get_access(session, ben, deals.sheet.sheet_id)
    with pytest.raises(NotFound, match="not shared with this person"):
        unshare_sheet(session, ann, deals.sheet.sheet_id, ben.user_id)


def test_the_whole_workspace_reads_or_edits_and_the_higher_level_counts(
    session: Session, ann: Actor, ben: Actor, dan: Actor, deals: Access
) -> None:
    sheet = deals.sheet.sheet_id
    share_with_workspace(session, ann, sheet, level=Level.VIEWER)
    assert get_access(session, dan, sheet).level is Level.VIEWER
    assert get_access(session, ben, sheet).level is Level.EDITOR
    share_with_workspace(session, ann, sheet, level=None)
    with pytest.raises(NotFound):
        get_access(session, dan, sheet)


def test_nobody_is_made_an_owner_and_the_owner_stays_one(
    session: Session, ann: Actor, ben: Actor, deals: Access
) -> None:
    sheet = deals.sheet.sheet_id
    for refused in (
        lambda: share_sheet(session, ann, sheet, ben.user_id, level=Level.OWNER),
        lambda: share_sheet(session, ann, sheet, ann.user_id, level=Level.VIEWER),
        lambda: share_with_workspace(session, ann, sheet, level=Level.OWNER),
    ):
        with pytest.raises(Invalid):
            refused()
    with pytest.raises(Invalid, match="Transfer it to another person first"):
        unshare_sheet(session, ann, sheet, ann.user_id)
    assert get_access(session, ann, sheet).level is Level.OWNER


@pytest.mark.parametrize("gone", [True, False])
def test_a_sheet_is_shared_only_with_people_who_are_there(
    session: Session, ann: Actor, deals: Access, gone: bool
) -> None:
    dan = 5
    if gone:
        session.execute(text("UPDATE users SET is_active = false WHERE user_id = :dan"), {"dan": dan})
    with pytest.raises(NotFound, match="not in the workspace"):
        share_sheet(session, ann, deals.sheet.sheet_id, dan if gone else 999, level=Level.VIEWER)


def test_those_who_have_it_already_are_not_offered(session: Session, ann: Actor, deals: Access) -> None:
    offered = people_to_share_with(session, get_access(session, ann, deals.sheet.sheet_id))
    assert sorted(offered.values()) == ["Ada · ada@example.com", "Dan · dan@example.com"]


# --- rows and teams

OWNER = 5


@pytest.fixture
def north(session: Session, ada: Actor, dan: Actor) -> int:
    """A team with Dan in it, and Cleo who manages it."""
    team = create_team(session, ada, "North")
    add_member(session, ada, team, dan.user_id)
    add_member(session, ada, team, 4, is_manager=True)
    return team


def test_a_team_given_its_own_rows_has_managers_who_see_the_teams(
    session: Session, ann: Actor, cleo: Actor, dan: Actor, deals: Access, north: int
) -> None:
    sheet = deals.sheet.sheet_id
    unshare_sheet(session, ann, sheet, cleo.user_id)
    share_with_team(session, ann, sheet, north, level=Level.COMMENTER, row_scope=RowScope.OWN)
    assert get_access(session, dan, sheet).owners == (str(dan.user_id),)
    assert get_access(session, cleo, sheet).owners == (str(cleo.user_id), str(dan.user_id))
    (share,) = team_shares(session, get_access(session, dan, sheet))
    assert (share.name, share.size, share.level, share.row_scope) == ("North", 2, Level.COMMENTER, RowScope.OWN)
    assert teams_to_share_with(session, get_access(session, ann, sheet)) == {}
    unshare_team(session, ann, sheet, north)
    with pytest.raises(NotFound):
        get_access(session, dan, sheet)
    with pytest.raises(NotFound, match="not shared with this team"):
        unshare_team(session, ann, sheet, north)
    assert teams_to_share_with(session, get_access(session, ann, sheet)) == {north: "North"}


def test_another_level_leaves_the_rows_as_they_are(
    session: Session, ann: Actor, ben: Actor, deals: Access, north: int
) -> None:
    sheet = deals.sheet.sheet_id
    for share in (
        lambda **how: share_sheet(session, ann, sheet, ben.user_id, **how),
        lambda **how: share_with_team(session, ann, sheet, north, **how),
    ):
        share(level=Level.EDITOR, row_scope=RowScope.OWN)
        share(level=Level.VIEWER)
    access = get_access(session, ann, sheet)
    assert [one.row_scope for one in collaborators(session, access) if one.name == "Ben"] == [RowScope.OWN]
    assert get_access(session, ben, sheet).owners == (str(ben.user_id),)
    assert team_shares(session, get_access(session, ann, sheet))[0].row_scope is RowScope.OWN
    share_sheet(session, ann, sheet, ben.user_id, level=Level.VIEWER, row_scope=RowScope.ALL)
    assert get_access(session, ben, sheet).owners is None


@pytest.mark.parametrize("rows", [RowScope.OWN, RowScope.TEAM])
def test_without_a_column_that_says_whose_a_row_is_nobody_is_given_their_own(
    session: Session, ann: Actor, ben: Actor, deals: Access, north: int, rows: RowScope
) -> None:
    sheet = deals.sheet.sheet_id
    configure_pipeline(session, ann, sheet, {})
    for share in (
        lambda: share_sheet(session, ann, sheet, ben.user_id, level=Level.EDITOR, row_scope=rows),
        lambda: share_with_team(session, ann, sheet, north, level=Level.EDITOR, row_scope=rows),
    ):
        with pytest.raises(Invalid, match="has no row-owner column"):
            share()
        choose_owner_column(session, ann, sheet, OWNER)
        share()
        choose_owner_column(session, ann, sheet, None)


def test_a_sheet_is_shared_only_with_teams_that_there_are(session: Session, ann: Actor, deals: Access) -> None:
    with pytest.raises(NotFound, match="team does not exist"):
        share_with_team(session, ann, deals.sheet.sheet_id, 999, level=Level.VIEWER)


def test_an_analyst_is_never_shared_a_sheet_as_editor(session: Session, ann: Actor, cleo: Actor, deals: Access) -> None:
    sheet = deals.sheet.sheet_id
    with pytest.raises(Invalid, match="Cleo is an analyst"):
        share_sheet(session, ann, sheet, cleo.user_id, level=Level.EDITOR)
    share_sheet(session, ann, sheet, cleo.user_id, level=Level.COMMENTER)
    assert get_access(session, cleo, sheet).level is Level.COMMENTER


def test_what_a_team_or_everybody_may_change_an_analyst_reads_and_comments(
    session: Session, ann: Actor, cleo: Actor, dan: Actor, deals: Access, north: int
) -> None:
    sheet = deals.sheet.sheet_id
    unshare_sheet(session, ann, sheet, cleo.user_id)
    share_with_team(session, ann, sheet, north, level=Level.EDITOR)
    assert [get_access(session, who, sheet).level for who in (dan, cleo)] == [Level.EDITOR, Level.COMMENTER]
    unshare_team(session, ann, sheet, north)
    share_with_workspace(session, ann, sheet, level=Level.EDITOR)
    assert [get_access(session, who, sheet).level for who in (dan, cleo)] == [Level.EDITOR, Level.COMMENTER]
