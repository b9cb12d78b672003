"""Transfer: a sheet has an owner at all times, and gets another one from its owner or, once they have left, an
administrator."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.accounts.accounts import deactivate
from core.base.actor import Actor
from core.base.errors import Conflict, NotAllowed, NotFound, Refused
from core.base.permissions import Level, RowScope
from core.sharing.shares import collaborators, share_sheet
from core.sharing.transfer import owned_sheets, transfer_sheet
from db.engine import transaction
from tests.conftest import actor, make_deals
from tests.support.core.signing_in import actions


def test_the_owner_hands_over_and_becomes_an_editor_of_every_row(
    session: Session, ann: Actor, ben: Actor, deals: Access
) -> None:
    sheet = deals.sheet.sheet_id
    share_sheet(session, ann, sheet, ben.user_id, level=Level.VIEWER, row_scope=RowScope.OWN)
    transfer_sheet(session, ann, sheet, ben.user_id)
    assert get_access(session, ben, sheet).level is Level.OWNER
    assert get_access(session, ben, sheet).owners is None
    assert (get_access(session, ann, sheet).level, get_access(session, ann, sheet).owners) == (Level.EDITOR, None)
    assert [one.name for one in collaborators(session, get_access(session, ann, sheet))] == ["Ben", "Ann", "Cleo"]
    with pytest.raises(NotAllowed):
        transfer_sheet(session, ann, sheet, ann.user_id)
    assert actions(session)[-1] == "sheet:share:transfer"


def test_a_sheet_goes_only_to_somebody_who_can_own_it(
    session: Session, ann: Actor, cleo: Actor, dan: Actor, deals: Access
) -> None:
    session.execute(text("UPDATE users SET is_active = false WHERE user_id = :dan"), {"dan": dan.user_id})
    for heir, why in ((ann.user_id, "already"), (cleo.user_id, "analyst"), (dan.user_id, "not in the workspace")):
        with pytest.raises(Refused, match=why):
            transfer_sheet(session, ann, deals.sheet.sheet_id, heir)
    assert get_access(session, ann, deals.sheet.sheet_id).level is Level.OWNER


def test_an_administrator_hands_over_what_a_leaver_owned_and_nothing_else(
    session: Session, ada: Actor, ann: Actor, ben: Actor, deals: Access
) -> None:
    sheet = deals.sheet.sheet_id
    with pytest.raises(NotFound):
        transfer_sheet(session, ada, sheet, ben.user_id)
    deactivate(session, ada, ann.user_id)
    (left,) = owned_sheets(session, ada)
    assert (left.name, left.owner, left.is_orphaned) == ("Deals", "Ann", True)
    with pytest.raises(NotAllowed):
        transfer_sheet(session, ben, sheet, ben.user_id)
    transfer_sheet(session, ada, sheet, ben.user_id)
    assert get_access(session, ben, sheet).level is Level.OWNER
    assert not owned_sheets(session, ada)[0].is_orphaned
    for who in (ada, ann):
        with pytest.raises(NotFound):
            get_access(session, who, sheet)


def test_who_owns_which_sheet_is_for_administrators(session: Session, ann: Actor, deals: Access) -> None:
    with pytest.raises(NotAllowed):
        owned_sheets(session, ann)


def test_of_two_transfers_at_once_one_holds(database: str) -> None:
    with transaction() as session:
        sheet = make_deals(session).sheet.sheet_id

    def hand_to(name: str) -> bool:
        try:
            with transaction() as session:
                transfer_sheet(session, actor("Ann"), sheet, actor(name).user_id)
        except (Conflict, NotAllowed):
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(hand_to, ["Ben", "Dan"])) == [False, True]
    with transaction() as session:
        owner = session.scalar(text("SELECT owner_id FROM sheets"))
        assert get_access(session, actor("Ann"), sheet).level is Level.EDITOR
    assert owner in {actor("Ben").user_id, actor("Dan").user_id}
