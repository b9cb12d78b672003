"""The way in, my profile and the people page, as a person goes through them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.accounts.invitations import first_admin_link, invite
from core.base.actor import Actor
from core.base.permissions import Role
from core.config.settings import settings
from core.credentials import passwords
from core.credentials.sessions import start_session
from core.sign_in.password import SIGN_IN_FAILED
from db import engine as db
from pages.components.app.navigation import PAGES
from tests.conftest import PASSWORD, actor

MAIN = str(Path(__file__).parents[2] / "pages" / "main.py")
NEW = "another good password"
WAYS = ["Sign in", "Forgot your password?"]
Opened = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A data folder of the test's own, and hashes that it can afford."""
    monkeypatch.setenv("CONTRIVANCE_DATA", str(tmp_path / "data"))
    monkeypatch.setitem(passwords.hash_password.__kwdefaults__, "cost", 4)
    monkeypatch.setattr("pages.components.sign_in.sign_in.device", str)  # A page without a browser has no cookies.
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def opened(session: Session) -> Opened:
    """The product in the browser of one of the cast (None: a stranger), at a page of the navigation."""

    def open_page(who: str | None, page: str = "", **query: str) -> AppTest:
        app = AppTest.from_file(MAIN, default_timeout=30)
        app.user = {"session": str(session_of(session, who))} if who else {}
        app.query_params.update(query)
        app.run()
        return app.switch_page(page).run() if page else app

    return open_page


def session_of(session: Session, who: str) -> UUID:
    return start_session(session, actor(who).user_id, kind="browser", address=None, user_agent="Firefox/1 Linux")[0]


def fill(app: AppTest, values: dict[str, str]) -> None:
    for label, value in values.items():
        next(one for one in [*app.text_input, *app.text_area] if one.label == label).set_value(value)


def press(app: AppTest, label: str) -> AppTest:
    next(one for one in app.button if one.label == label).click()
    return app.run()


def said(app: AppTest) -> list[str]:
    """Messages as they are read: what keeps Markdown out of them is not seen."""
    return [str(one.value).replace(":small[]", "").replace("\\", "") for one in [*app.error, *app.info, *app.success]]


def labels(app: AppTest) -> list[str]:
    return [one.label for one in app.button]


# --- the way in


def test_a_stranger_gets_the_form_and_nothing_else(opened: Opened) -> None:
    app = opened(None)
    assert [one.label for one in app.text_input] == ["E-mail", "Password"]
    assert labels(app) == WAYS
    assert said(app) == []


@pytest.mark.parametrize("page", [page.file for page in PAGES])
def test_a_page_asked_for_by_a_stranger_is_the_way_in(opened: Opened, page: str) -> None:
    app = AppTest.from_file(MAIN, default_timeout=30)
    app.user = {}
    app.switch_page(page)
    app.run()
    assert labels(app) == WAYS


def test_a_wrong_password_is_refused_and_counted(opened: Opened, session: Session) -> None:
    app = opened(None)
    fill(app, {"E-mail": "ann@example.com", "Password": "wrong password"})
    press(app, "Sign in")
    assert said(app) == [SIGN_IN_FAILED]
    assert session.scalar(text("SELECT count(*) FROM sign_in_failures")) == 1
    assert said(app.run()) == []


def test_while_the_database_is_away_the_form_says_so_and_works_again_after(opened: Opened, session: Session) -> None:
    app = opened(None)
    fill(app, {"E-mail": "ann@example.com", "Password": PASSWORD})
    here = session.get_bind()
    db.bind(db.make_engine("postgresql://owner@127.0.0.1:9/sales"))
    press(app, "Sign in")
    db.bind(here)
    assert "The database cannot be reached" in said(app)[0]
    fill(app.run(), {"E-mail": "ann@example.com", "Password": "wrong password"})
    press(app, "Sign in")
    assert said(app) == [SIGN_IN_FAILED]


def test_a_session_that_ends_while_its_page_is_open_says_so(opened: Opened, session: Session) -> None:
    app = opened("Ann", "account/profile.py")
    assert app.title[0].value == "Profile"
    session.execute(text("UPDATE sessions SET ended_at = now()"))
    press(app, "Save")
    assert said(app) == ["Your session has ended. Sign in again to continue."]
    assert labels(app) == WAYS


@pytest.mark.parametrize("user", [{}, {"session": ""}, {"session": "x"}, {"email": "ada@example.com"}])
def test_only_a_live_session_makes_somebody_of_a_visitor(session: Session, user: dict[str, str]) -> None:
    app = AppTest.from_file(MAIN, default_timeout=30)
    app.user = user
    app.session_state["authentication_status"] = True
    app.session_state["username"] = "ada"
    app.run()
    assert not app.title or app.title[0].value == "Contrivance"
    assert "Sign out" not in labels(app)


# --- invitations


def token_for_eve(session: Session) -> str:
    return invite(session, actor("Ada"), email="eve@example.com", role=Role.ANALYST)


def test_an_invitation_names_its_address_and_role(opened: Opened, session: Session) -> None:
    app = opened(None, invite=token_for_eve(session))
    assert [one.label for one in app.text_input] == ["E-mail", "Your name", "Password", "Password again"]
    assert (app.text_input[0].value, app.text_input[0].disabled) == ("eve@example.com", True)
    assert "analyst" in app.caption[0].value


def test_two_passwords_that_differ_are_said(opened: Opened, session: Session) -> None:
    app = opened(None, invite=token_for_eve(session))
    fill(app, {"Your name": "Eve", "Password": NEW, "Password again": NEW + "!"})
    press(app, "Create my account")
    assert said(app) == ["The two passwords differ. Type the same one twice."]


@pytest.mark.parametrize("token", ["", "x", "\x00", "a" * 5000])
def test_a_link_that_is_worth_nothing_says_so_and_leads_to_the_form(opened: Opened, token: str) -> None:
    app = opened(None, invite=token)
    assert "Ask an administrator for a new link" in said(app)[0]
    press(app, "Go to sign-in")
    assert labels(app) == WAYS
    assert "invite" not in app.query_params


def test_the_first_administrator_names_their_own_address(opened: Opened, session: Session) -> None:
    session.execute(text("UPDATE users SET role = 'member'"))
    link = first_admin_link(session, "http://here")
    assert link
    app = opened(None, invite=link.split("invite=")[1])
    assert app.subheader[0].value == "Create the administrator's account"
    assert not app.text_input[0].disabled


def test_who_is_signed_in_hears_why_an_invitation_does_nothing(opened: Opened, session: Session) -> None:
    app = opened("Ann", invite=token_for_eve(session))
    assert "You are signed in as Ann" in said(app)[0]


# --- my profile


def test_a_name_and_a_way_of_writing_dates_are_saved(opened: Opened, session: Session) -> None:
    app = opened("Ann", "account/profile.py")
    fill(app, {"Name": "Ann Smith"})
    app.radio[0].set_value("day first")
    press(app, "Save")
    assert said(app) == []
    stored = session.execute(text("SELECT name, preferences FROM users WHERE name LIKE 'Ann%'")).one()
    kept = {"date_format": "day first", "number_format": "1,234.5", "time_zone": "UTC"}
    assert tuple(stored) == ("Ann Smith", kept)


def test_a_changed_password_signs_me_out_and_says_why(opened: Opened, session: Session) -> None:
    app = opened("Ann", "account/profile.py")
    fill(app, {"Current password": PASSWORD, "New password": NEW, "New password again": NEW})
    press(app, "Change password")
    assert said(app) == ["Your password is changed. Sign in with the new one."]
    assert labels(app) == WAYS


@pytest.mark.parametrize(
    ("current", "new", "again", "reason"),
    [
        ("wrong password", NEW, NEW, "The current password is wrong."),
        (PASSWORD, NEW, "another", "The two new passwords differ."),
        (PASSWORD, "short", "short", "at least 10 characters"),
        (PASSWORD, PASSWORD, PASSWORD, "the current one"),
    ],
)
def test_a_password_that_is_not_changed_says_why(
    opened: Opened, session: Session, current: str, new: str, again: str, reason: str
) -> None:
    app = opened("Ann", "account/profile.py")
    fill(app, {"Current password": current, "New password": new, "New password again": again})
    press(app, "Change password")
    assert reason in said(app)[0]
    assert "Sign out" in labels(app)


def test_my_other_sessions_are_listed_and_can_be_ended(opened: Opened, session: Session) -> None:
    for who in ("Ann", "Ann", "Ben"):
        session_of(session, who)
    app = opened("Ann", "account/profile.py")
    assert labels(app).count("Sign out there") == 2
    press(app, "Sign out there")
    assert labels(app).count("Sign out there") == 1
    press(app, "Sign out everywhere else")
    assert "Sign out there" not in labels(app)
    alive = session.scalars(text("SELECT user_id FROM sessions WHERE ended_at IS NULL ORDER BY user_id")).all()
    assert alive == [actor("Ann").user_id, actor("Ben").user_id]


# --- people


def test_people_are_for_administrators(opened: Opened) -> None:
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        opened("Ann", "admin/people.py")


def test_an_invitation_is_a_link_to_pass_on_and_waits_in_the_list(opened: Opened, session: Session) -> None:
    app = opened("Ada", "admin/people.py")
    fill(app, {"E-mail": "Eve@example.com"})
    press(app, "Make an invitation link")
    assert "/?invite=" in app.code[0].value
    assert any("invited as member by Ada, until" in one.value for one in app.caption)
    press(app, "Withdraw")
    assert not any("eve@example.com" in one.value for one in app.text)


def test_what_is_no_address_is_not_invited_and_stays_to_be_mended(opened: Opened) -> None:
    app = opened("Ada", "admin/people.py")
    fill(app, {"E-mail": "eve"})
    press(app, "Make an invitation link")
    assert said(app) == ["This isn't a valid e-mail address. Write it like ann@example.com."]
    assert app.text_area[0].value == "eve"


def test_a_role_changes_only_when_it_is_saved(opened: Opened, session: Session, ben: Actor) -> None:
    def role() -> str:
        return str(session.scalar(text("SELECT role FROM users WHERE user_id = :ben"), {"ben": ben.user_id}))

    app = opened("Ada", "admin/people.py")
    app.selectbox(f"role_{ben.user_id}_member").set_value(Role.ANALYST).run()
    assert role() == "member"
    app.button(f"save_{ben.user_id}").click().run()
    assert role() == "analyst"


def test_a_person_is_let_out_and_in_again(opened: Opened, session: Session, ben: Actor) -> None:
    app = opened("Ada", "admin/people.py")
    app.button(f"active_{ben.user_id}").click().run()
    assert any(one.value.startswith("deactivated · ") for one in app.caption)
    app.button(f"active_{ben.user_id}").click().run()
    assert not any(one.value.startswith("deactivated · ") for one in app.caption)


def test_the_last_administrator_hears_why_they_stay(opened: Opened, ada: Actor) -> None:
    app = opened("Ada", "admin/people.py")
    app.button(f"active_{ada.user_id}").click().run()
    assert "last administrator" in said(app)[0]


def test_other_peoples_text_is_shown_letter_by_letter(opened: Opened, session: Session) -> None:
    name = "**b** [x](http://evil) :red[y]"
    session.execute(text("UPDATE users SET name = :name WHERE name = 'Ben'"), {"name": name})
    app = opened("Ada", "admin/people.py")
    assert name in [one.value for one in app.text]
    assert not any("evil" in one.value for one in [*app.markdown, *app.caption])
