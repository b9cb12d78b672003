"""Favourites: each person's own, of sheets that they may see."""

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from core.accounts.locale import get_locale, set_locale
from core.base.actor import Actor
from core.base.errors import NotFound
from core.sheets.favourites import navigation_sheets, set_favourite
from core.sheets.sheets import archive_sheet, create_sheet


def favourites(session: Session, who: Actor) -> list[str]:
    return [sheet.name for sheet in navigation_sheets(session, who) if sheet.is_favourite]


def test_a_favourite_is_marked_once_for_its_person_only_and_taken_away(
    session: Session, ann: Actor, ben: Actor, deals: Access
) -> None:
    sheet = deals.sheet.sheet_id
    for _ in range(2):
        set_favourite(session, ben, sheet, is_favourite=True)
    assert favourites(session, ben) == ["Deals"]
    assert favourites(session, ann) == []
    set_favourite(session, ben, sheet, is_favourite=False)
    assert favourites(session, ben) == []


def test_sheets_stand_by_name_without_archived_ones(session: Session, ann: Actor, deals: Access) -> None:
    create_sheet(session, ann, "Accounts")
    gone = create_sheet(session, ann, "Bygone").sheet.sheet_id
    set_favourite(session, ann, gone, is_favourite=True)
    archive_sheet(session, ann, gone)
    assert [sheet.name for sheet in navigation_sheets(session, ann)] == ["Accounts", "Deals"]


def test_a_sheet_that_is_not_shared_cannot_be_marked(session: Session, dan: Actor, deals: Access) -> None:
    with pytest.raises(NotFound):
        set_favourite(session, dan, deals.sheet.sheet_id, is_favourite=True)


def test_favourites_and_formats_do_not_replace_each_other(session: Session, ann: Actor, deals: Access) -> None:
    set_locale(session, ann, date_format="day first")
    set_favourite(session, ann, deals.sheet.sheet_id, is_favourite=True)
    set_locale(session, ann, number_format="1.234,5")
    assert favourites(session, ann) == ["Deals"]
    assert get_locale(session, ann).date_format == "day first"
