"""The page Audit: administrators see everything, owners their sheets, analysts no page; filters, pages and the file."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.access.access import Access
from core.accounts.accounts import change_role, rename_myself
from core.base import audit
from core.base.permissions import Role
from tests.conftest import actor
from tests.pages.opened import fine, labels, open_page, press

AUDIT = "insight/audit.py"


@pytest.fixture(autouse=True)
def happened(session: Session, deals: Access) -> None:
    change_role(session, actor("Ada"), actor("Ben").user_id, role=Role.MANAGER)


def told(page: AppTest) -> list[str]:
    return [one.value for one in page.main.text]


def export(page: AppTest) -> dict[str, list[str]]:
    button = next(one for one in page.main.get("link_button") if one.proto.label == "Export")
    assert urlsplit(button.proto.url).path == "/api/v1/audit/export"
    return parse_qs(urlsplit(button.proto.url).query)


def test_an_administrator_sees_everything_in_sentences(session: Session) -> None:
    page = open_page(session, "Ada", AUDIT)
    assert told(page)[0] == "Ada changed the role of Ben from member to manager"
    assert "Ann shared “Deals” with Ben as editor" in told(page)


def test_an_owner_sees_their_sheets_alone(session: Session) -> None:
    page = open_page(session, "Ann", AUDIT)
    assert told(page)[0] == "Ann shared “Deals” with Cleo as viewer"
    assert not [line for line in told(page) if "role" in line]


def test_who_owns_nothing_is_told_so(session: Session) -> None:
    page = open_page(session, "Dan", AUDIT)
    assert told(page) == []
    assert page.main.info[0].value.startswith("You don't own a sheet yet.")


def test_a_person_of_whom_nothing_is_said_narrows_to_nothing(session: Session) -> None:
    page = open_page(session, "Ada", AUDIT)
    page.text_input[0].set_value("Dan")
    page = fine(page.run())
    assert told(page) == []
    assert page.main.info[0].value == "Nothing like this has happened."


def test_filters_narrow_the_page_and_its_file_alike(session: Session) -> None:
    page = open_page(session, "Ada", AUDIT)
    assert export(page) == {}
    page.text_input[0].set_value("ben")
    page.text_input[1].set_value("deals")
    page = fine(page.run())
    assert told(page) == ["Ann shared “Deals” with Ben as editor"]
    assert export(page) == {"person": [str(actor("Ben").user_id)], "search": ["deals"]}


def test_a_search_of_several_people_offers_a_choice(session: Session) -> None:
    rename_myself(session, actor("Dan"), "Ben Dover")
    page = open_page(session, "Ada", AUDIT)
    page.text_input[0].set_value("ben")
    page = fine(page.run())
    assert page.selectbox[0].options == ["Ben", "Ben Dover"]
    page.selectbox[0].set_value(actor("Dan").user_id)
    assert export(fine(page.run())) == {"person": [str(actor("Dan").user_id)]}


def test_a_search_without_a_match_shows_no_event(session: Session) -> None:
    page = open_page(session, "Ada", AUDIT)
    page.text_input[0].set_value("zoe")
    page = fine(page.run())
    assert told(page) == []
    assert "No person with this name." in [caption.value for caption in page.main.caption]


def test_days_are_those_of_the_persons_time_zone(session: Session) -> None:
    session.execute(text("""UPDATE users SET preferences = '{"time_zone": "Asia/Tokyo"}' WHERE user_id = 1"""))
    today = datetime.now(UTC) + timedelta(hours=9)
    page = open_page(session, "Ada", AUDIT)
    page.date_input[0].set_value((today.date(), today.date()))
    page = fine(page.run())
    assert told(page)
    since = datetime.fromisoformat(export(page)["since"][0])
    assert (since.hour, datetime.fromisoformat(export(page)["until"][0]) - since) == (15, timedelta(days=1))
    page.date_input[0].set_value((today.date() - timedelta(days=3), today.date() - timedelta(days=2)))
    assert told(fine(page.run())) == []


def test_older_and_newer_turn_pages(session: Session) -> None:
    for number in range(150):
        audit.record(session, actor("Ada"), "account:token:revoke", name=f"T{number}")
    page = open_page(session, "Ada", AUDIT)
    assert (told(page)[0], told(page)[-1]) == tuple(f"Ada revoked the API token “T{n}”" for n in (149, 50))
    assert "Newer" not in labels(page)
    page = press(page, "Older")
    assert told(page)[0] == "Ada revoked the API token “T49”"
    assert "Older" not in labels(page)
    page = press(page, "Newer")
    assert told(page)[0] == "Ada revoked the API token “T149”"


def test_names_are_shown_letter_by_letter(session: Session) -> None:
    rename_myself(session, actor("Ann"), "<b>:red[x]</b>")
    page = open_page(session, "Ada", AUDIT)
    assert told(page)[0].startswith("<b>:red[x]</b> changed their name"), "as text, which reads no formatting"
