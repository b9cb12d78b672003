"""The page that a public link opens, and the links in the sharing dialog."""

import json
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.access.link_view import VIEW_DELETED
from core.access.load import get_access
from core.credentials import passwords
from core.credentials.sessions import start_session
from core.sharing.public_link_visits import open_link
from core.sharing.public_links import create_link, public_links, revoke_link, visits_of_tokens
from core.sheets.columns import limit_column
from core.sheets.sheets import archive_sheet, rename_sheet
from core.views.edit_views import create_view, delete_view
from db.engine import transaction
from tests.conftest import actor, make_deals
from tests.pages.opened import MAIN, add_deal, fine, labels, open_piece, press, said

SECRET = "Project Falcon"


@pytest.fixture
def sheet(session: Session) -> int:
    sheet_id = make_deals(session).sheet.sheet_id
    add_deal(session, "Ann", sheet_id, {1: "Acme", 2: SECRET})
    limit_column(session, actor("Ann"), sheet_id, 2, {"link": "hidden"})
    return sheet_id


def make(session: Session, sheet: int, **wishes: object) -> tuple[int, str]:
    return create_link(session, actor("Ann"), sheet, name="Partner", **wishes)  # type: ignore[arg-type]


def visits(session: Session, token: str) -> str:
    opened = open_link(transaction, token)
    assert opened.token
    return ",".join(map(str, visits_of_tokens(session, [opened.token])))


def page_of(session: Session, link: int, brought: str, name: str = "") -> AppTest:
    """The page as a browser with these visits opens it, whoever is signed in there."""
    page = AppTest.from_file(str(MAIN), default_timeout=30)
    page.user = {"visits": brought} if brought else {}
    if name:
        session_id, _ = start_session(session, actor(name).user_id, kind="browser", address=None, user_agent="")
        page.user["session"] = str(session_id)
    page.query_params["link"] = str(link)
    return fine(page.run())


ENDED = "This link is not open"


def test_a_visitor_sees_the_sheets_name_and_nothing_of_the_app(session: Session, sheet: int) -> None:
    number, token = make(session, sheet)
    page = page_of(session, number, visits(session, token))
    assert [one.value for one in page.subheader] == ["Deals"]
    assert not page.sidebar.button
    assert not page.main.page_link
    assert not [word for word in (SECRET, "Account", "Ann", "Ben", "E-mail") if word in said(page)]
    assert not [label for label in labels(page) if label in {"Share", "Settings", "Sign out"}]


@pytest.mark.parametrize("name", ["", "Ann", "Dan"])
def test_without_a_visit_of_this_link_nobody_sees_anything(session: Session, sheet: int, name: str) -> None:
    number, token = make(session, sheet)
    other, other_token = make(session, sheet)
    for link, brought in [
        (number, ""),
        (number, visits(session, other_token)),
        (999, visits(session, token)),
        (0, "x"),
    ]:
        page = page_of(session, link, brought, name)
        assert ENDED in said(page)
        assert "Deals" not in said(page)
    assert other


def test_the_run_after_a_link_has_ended_shows_nothing_of_the_sheet(session: Session, sheet: int) -> None:
    number, token = make(session, sheet)
    page = page_of(session, number, visits(session, token))
    revoke_link(session, actor("Ann"), sheet, number)
    assert ENDED in said(page.run())
    number, token = make(session, sheet)
    page = page_of(session, number, visits(session, token))
    archive_sheet(session, actor("Ann"), sheet)
    assert ENDED in said(page.run())


def test_who_is_signed_in_is_a_visitor_here_and_told_of_their_own_way(session: Session, sheet: int) -> None:
    number, token = make(session, sheet)
    for name, has_it in (("Ben", True), ("Dan", False)):
        page = page_of(session, number, visits(session, token), name)
        assert SECRET not in said(page)
        assert not page.sidebar.button
        own = [one for one in page.get("link_button") if "yourself" in one.proto.label]
        assert bool(own) is has_it


def test_the_export_menu_is_there_only_where_the_link_allows_it(session: Session, sheet: int) -> None:
    for may_export in (False, True):
        number, token = make(session, sheet, may_export=may_export)
        page = page_of(session, number, visits(session, token))
        found = [one.proto.url for one in page.get("link_button")]
        assert bool(found) is may_export
        assert all(f"link={number}" in url for url in found)


def test_a_view_in_the_address_is_kept_to_what_a_link_may_see(session: Session, sheet: int) -> None:
    number, token = make(session, sheet)
    page = page_of(session, number, visits(session, token))
    for view in (json.dumps({"sort": [{"column": 2, "descending": True}]}), "{", "[1]", '{"filter": 3}'):
        page.query_params["view"] = view
        fine(page.run())
        assert not [label for label in labels(page) if "Account" in label]


def test_a_link_of_a_view_shows_its_name_columns_and_order_and_says_when_it_is_deleted(
    session: Session, sheet: int
) -> None:
    settings = {"hidden": [3], "sort": [{"column": 1, "descending": True}], "search": "secret"}
    view = create_view(session, actor("Ann"), sheet, "For *partners*", settings=settings, is_shared=True).view_id
    number, token = make(session, sheet, view=view)
    page = open_piece(session, "Ann", f"sheet.sheet_dialogs.share({sheet})")
    assert field(page, "selectbox", "What it shows").options == ["The whole sheet", "All rows", "For *partners*"]
    assert "shows For \\*partners\\*" in said(page)
    visitor = page_of(session, number, visits(session, token))
    assert "For \\*partners\\*" in visitor.subheader[0].value
    data = json.loads(visitor.get_by_key(f"shared_{number}").proto.json)
    assert "Stage" not in [column["name"] for column in data["columns"]]
    assert data["view"] == {"filter": [], "sort": settings["sort"], "search": ""}
    delete_view(session, actor("Ann"), sheet, view)
    assert VIEW_DELETED in said(visitor.run())
    assert "its view was deleted" in said(open_piece(session, "Ann", f"sheet.sheet_dialogs.share({sheet})"))


def test_a_name_with_marks_is_shown_letter_by_letter(session: Session, sheet: int) -> None:
    rename_sheet(session, actor("Ann"), sheet, "![x](http://evil.example.com) **bold**")
    number, token = make(session, sheet)
    page = page_of(session, number, visits(session, token))
    assert page.subheader[0].value.startswith("\\!\\[x\\]")


def test_the_owner_sees_the_links_and_revokes_one(session: Session, sheet: int) -> None:
    make(session, sheet, may_export=True)
    page = open_piece(session, "Ann", f"sheet.sheet_dialogs.share({sheet})")
    assert "Partner" in said(page)
    assert "not used yet · without an end · may export" in said(page)
    press(page, "Revoke")
    assert "not used yet" not in said(page)
    assert public_links(session, actor("Ann"), sheet) == []


def test_the_links_say_which_hidden_columns_they_show_and_hide_them_at_one_click(session: Session, sheet: int) -> None:
    limit_column(session, actor("Ann"), sheet, 4, {"viewer": "hidden", "editor": "read-only"})
    page = open_piece(session, "Ann", f"sheet.sheet_dialogs.share({sheet})")
    assert "Public links show these columns: “Amount” (hidden from viewers, read-only for editors)." in said(page)
    press(page, "Hide them from public links, too")
    assert "Public links show these columns" not in said(page)
    limits = get_access(session, actor("Ann"), sheet).column(4).limits
    assert limits == {"viewer": "hidden", "editor": "read-only", "link": "hidden"}
    number, token = make(session, sheet)
    assert "Amount" not in said(page_of(session, number, visits(session, token)))


def test_a_short_password_is_refused_with_the_reason(
    session: Session, sheet: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(passwords.hash_password.__kwdefaults__, "cost", 4)
    page = open_piece(session, "Ann", f"sheet.sheet_dialogs.share({sheet})")
    next(one for one in page.text_input if one.label == "Password").set_value("short")
    next(one for one in page.text_input if one.label == "For whom").set_value("Agency North")
    press(page, "Make the link")
    assert "at least 10 characters" in page.error[0].value
    assert public_links(session, actor("Ann"), sheet) == []


def field(page: AppTest, kind: str, label: str) -> Any:
    found: list[Any] = list(page.get(kind))
    return next(one for one in found if one.label == label)


def test_the_owner_changes_what_a_link_is_and_its_address_stays(
    session: Session, sheet: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(passwords.hash_password.__kwdefaults__, "cost", 4)
    number, token = make(session, sheet)
    brought = visits(session, token)
    page = open_piece(session, "Ann", f"sheet.sheet_dialogs.share({sheet})")
    field(page, "text_input", "Name").set_value("Agency South")
    field(page, "text_input", "New password").set_value("quiet harbour 9")
    field(page, "selectbox", "Open from now for").set_value(7)
    field(page, "checkbox", "Visitors may export the rows").set_value(True)
    press(page, "Save the link")
    (changed,) = public_links(session, actor("Ann"), sheet)
    assert (changed.link_id, changed.name, changed.has_password, changed.may_export) == (
        number,
        "Agency South",
        True,
        True,
    )
    assert changed.expires_at
    assert "password · may export" in said(page)
    assert ENDED in said(page_of(session, number, brought))  # Whoever had it open must give the new password.
    field(page, "checkbox", "No password any more").set_value(True)
    field(page, "selectbox", "Open from now for").select_index(4)
    press(page, "Save the link")
    (changed,) = public_links(session, actor("Ann"), sheet)
    assert (changed.name, changed.has_password, changed.may_export) == ("Agency South", False, True)
    assert changed.expires_at is None


def test_a_form_that_changes_nothing_writes_nothing(session: Session, sheet: int) -> None:
    make(session, sheet, may_export=True, days=3)
    before = public_links(session, actor("Ann"), sheet)
    kept = audited(session)
    page = open_piece(session, "Ann", f"sheet.sheet_dialogs.share({sheet})")
    press(page, "Save the link")
    assert not page.error
    assert public_links(session, actor("Ann"), sheet) == before
    assert audited(session) == kept


def audited(session: Session) -> int:
    return int(session.scalar(text("SELECT count(*) FROM audit_events")) or 0)
