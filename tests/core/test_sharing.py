"""Sharing: one by one or with everybody, at once and taken back at once."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access import Access, get_access
from core.actor import Actor
from core.errors import Invalid, NotFound
from core.permissions import Level
from core.sharing import (
    collaborators,
    people_to_share_with,
    share_sheet,
    share_with_workspace,
    unshare_sheet,
)


def levels(session: Session, actor: Actor, sheet: int) -> dict[str, Level]:
    return {person.name: person.level for person in collaborators(session, actor, sheet)}


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
    with pytest.raises(NotFound):
        unshare_sheet(session, ann, sheet, ann.user_id)
    assert get_access(session, ann, sheet).level is Level.OWNER


@pytest.mark.parametrize("gone", [True, False])
def test_a_sheet_is_shared_only_with_people_who_are_there(
    session: Session, ann: Actor, deals: Access, gone: bool
) -> None:
    dan = 5
    if gone:
        session.execute(text("UPDATE users SET is_active = false WHERE user_id = :dan"), {"dan": dan})
    with pytest.raises(NotFound, match="no such person"):
        share_sheet(session, ann, deals.sheet.sheet_id, dan if gone else 999, level=Level.VIEWER)


def test_those_who_have_it_already_are_not_offered(session: Session, ann: Actor, deals: Access) -> None:
    offered = people_to_share_with(session, ann, deals.sheet.sheet_id)
    assert sorted(offered.values()) == ["Ada · ada@example.com", "Dan · dan@example.com"]
