"""People: who makes and ends accounts, and how an invitation becomes one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.accounts import change_role, clean_name, create_user, deactivate, people, reactivate, rename_myself
from core.accounts.invitations import (
    accept_invitation,
    first_admin_link,
    invitations,
    invite,
    revoke_invitation,
    welcome,
)
from core.accounts.locale import Locale, get_locale, set_locale, today
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound, Refused
from core.base.permissions import Role
from core.sign_in.oidc_identities import add_identity
from db.engine import transaction
from tests.support.core.signing_in import actions, attempt
from tests.support.waiting import until_it_waits


def test_only_administrators_manage_people(session: Session, ann: Actor, ben: Actor) -> None:
    for command in (deactivate, reactivate):
        with pytest.raises(NotAllowed):
            command(session, ann, ben.user_id)
    with pytest.raises(NotAllowed):
        change_role(session, ann, ann.user_id, role=Role.ADMIN)
    with pytest.raises(NotAllowed):
        invite(session, ann, email="eve@example.com", role=Role.ADMIN)
    with pytest.raises(NotAllowed):
        create_user(session, ann, email="eve@example.com", name="Eve", role=Role.ADMIN)


def test_the_last_administrator_stays(session: Session, ada: Actor, ann: Actor) -> None:
    with pytest.raises(Invalid, match="last administrator"):
        deactivate(session, ada, ada.user_id)
    with pytest.raises(Invalid, match="last administrator"):
        change_role(session, ada, ada.user_id, role=Role.MEMBER)
    change_role(session, ada, ann.user_id, role=Role.ADMIN)
    deactivate(session, ada, ada.user_id)


def test_an_invitation_makes_one_account_with_its_role(session: Session, ada: Actor) -> None:
    token = invite(session, ada, email="Eve@example.com", role=Role.ANALYST)
    assert welcome(session, token).email == "eve@example.com"
    user_id = accept_invitation(session, token, email="other@example.com", name="Eve", password="a fine password")
    assert attempt("eve@example.com", "a fine password") == user_id
    assert session.execute(text("SELECT role FROM users WHERE user_id = :u"), {"u": user_id}).scalar_one() == "analyst"
    for use in (
        lambda: welcome(session, token),
        lambda: accept_invitation(session, token, email="", name="x", password="y"),
    ):
        with pytest.raises(NotFound, match="new link"):
            use()


def test_a_withdrawn_or_late_invitation_is_worth_nothing(session: Session, ada: Actor) -> None:
    token = invite(session, ada, email="eve@example.com", role=Role.MEMBER)
    number = session.execute(text("SELECT max(invitation_id) FROM invitations")).scalar_one()
    revoke_invitation(session, ada, number)
    with pytest.raises(NotFound):
        welcome(session, token)
    late = invite(session, ada, email="eve@example.com", role=Role.MEMBER)
    session.execute(text("UPDATE invitations SET expires_at = now()"))
    with pytest.raises(NotFound):
        welcome(session, late)


def test_a_refused_password_leaves_the_invitation_usable(session: Session, ada: Actor) -> None:
    token = invite(session, ada, email="eve@example.com", role=Role.MEMBER)
    with pytest.raises(Invalid):
        accept_invitation(session, token, email="", name="Eve", password="short")
    assert accept_invitation(session, token, email="", name="Eve", password="a fine password")


def test_the_first_administrator_is_made_once_however_many_try(database: str) -> None:
    with transaction() as session:
        assert first_admin_link(session, "http://here") is None
        session.execute(text("UPDATE users SET role = 'member' WHERE name = 'Ada'"))
        link = first_admin_link(session, "http://here")
    assert link
    token = link.split("invite=")[1]

    def claim(number: int) -> bool:
        try:
            with transaction() as session:
                accept_invitation(
                    session, token, email=f"first{number}@example.com", name="First", password="a fine password"
                )
        except (Invalid, NotFound):
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(claim, range(20))) == 1
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM users WHERE is_first_admin")) == 1
        assert first_admin_link(session, "http://here") is None


@pytest.mark.parametrize("how", ["command line", "provider", "hand"])
def test_the_first_administrators_link_ends_with_the_first_administrator_however_they_came(
    session: Session, how: str
) -> None:
    session.execute(text("UPDATE users SET role = 'member' WHERE name = 'Ada'"))
    link = first_admin_link(session, "http://here")
    assert link
    token = link.split("invite=")[1]
    assert welcome(session, token).is_first_admin
    if how == "command line":
        create_user(session, None, email="eve@example.com", name="Eve", role=Role.ADMIN, password="a fine password")
    elif how == "provider":
        eve = create_user(session, None, email="eve@example.com", name="Eve", role=Role.ADMIN)
        assert welcome(session, token)  # Nobody can sign in as her yet.
        add_identity(session, eve, "https://provider.example", "s-eve")
    else:
        session.execute(text("UPDATE users SET role = 'admin' WHERE name = 'Ann'"))
    with pytest.raises(NotFound):
        welcome(session, token)
    with pytest.raises(NotFound):
        accept_invitation(session, token, email="mallory@example.com", name="Mallory", password="a fine password")
    assert first_admin_link(session, "http://here") is None
    assert session.scalar(text("SELECT count(*) FROM invitations WHERE revoked_at IS NULL")) == 0


def test_an_administrator_who_is_being_made_as_the_link_is_used_ends_it(database: str) -> None:
    with transaction() as session:
        session.execute(text("UPDATE users SET role = 'member' WHERE name = 'Ada'"))
        link = first_admin_link(session, "http://here")
    assert link
    token = link.split("invite=")[1]

    def claim() -> int:
        with transaction() as session:
            return accept_invitation(
                session, token, email="mallory@example.com", name="Mallory", password="a fine password"
            )

    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            create_user(session, None, email="eve@example.com", name="Eve", role=Role.ADMIN, password="a fine password")
            claimed = pool.submit(claim)
            until_it_waits(claimed)
        with pytest.raises(NotFound):
            claimed.result()


def test_a_new_link_replaces_the_one_before(session: Session, ada: Actor) -> None:
    lost = invite(session, ada, email="eve@example.com", role=Role.ADMIN)
    found = invite(session, ada, email="Eve@Example.com", role=Role.MEMBER)
    with pytest.raises(NotFound):
        welcome(session, lost)
    assert welcome(session, found).role is Role.MEMBER
    assert len(invitations(session, ada)) == 1


def test_who_is_invited_to_a_waiting_account_takes_it_over_under_their_own_name(session: Session, ada: Actor) -> None:
    waiting = create_user(session, ada, email="mia@example.com", name="A demo person", role=Role.MEMBER)
    token = invite(session, ada, email="mia@example.com", role=Role.MANAGER)
    assert accept_invitation(session, token, email="", name="Mia", password="a fine password") == waiting
    mia = next(one for one in people(session, ada) if one.user_id == waiting)
    assert (mia.name, mia.role, mia.has_password) == ("Mia", Role.MANAGER, True)


def test_somebody_with_an_account_is_not_invited_again(session: Session, ada: Actor) -> None:
    with pytest.raises(Invalid, match="already"):
        invite(session, ada, email="ann@example.com", role=Role.MEMBER)


def test_who_was_let_out_is_let_in_again_rather_than_invited(session: Session, ada: Actor, ben: Actor) -> None:
    deactivate(session, ada, ben.user_id)
    with pytest.raises(Invalid, match="Reactivate"):
        invite(session, ada, email="ben@example.com", role=Role.MEMBER)


def test_two_administrators_cannot_dismiss_each_other(database: str, ada: Actor, ann: Actor) -> None:
    with transaction() as session:
        change_role(session, ada, ann.user_id, role=Role.ADMIN)
    other = Actor(ann.user_id, ann.name, ann.email, Role.ADMIN)

    def dismiss(pair: tuple[Actor, Actor]) -> bool:
        try:
            with transaction() as session:
                deactivate(session, pair[0], pair[1].user_id)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(dismiss, [(ada, other), (other, ada)])) == [False, True]
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM users WHERE role = 'admin' AND is_active")) == 1


def test_who_is_no_administrator_any_more_changes_nobody(session: Session, ada: Actor, ann: Actor, ben: Actor) -> None:
    change_role(session, ada, ann.user_id, role=Role.ADMIN)
    change_role(session, ada, ada.user_id, role=Role.MEMBER)
    with pytest.raises(NotAllowed, match="any more"):
        deactivate(session, ada, ben.user_id)


def test_there_is_no_person_of_that_number(session: Session, ada: Actor) -> None:
    with pytest.raises(NotFound):
        deactivate(session, ada, 10**9)


def test_an_address_with_characters_that_nobody_sees_is_refused(session: Session) -> None:
    for email in ("zero\u200bwidth@example.com", "\ud800@example.com"):
        with pytest.raises(Invalid, match="valid e-mail"):
            create_user(session, None, email=email, name="Eve", role=Role.MEMBER)


@pytest.mark.parametrize("name", ["", "  ", "\x00", "a\u202eb", "x" * 101])
def test_a_name_is_one_line_that_others_can_read(name: str) -> None:
    with pytest.raises(Invalid):
        clean_name(name)


def test_a_name_and_a_date_format_are_kept(session: Session, ann: Actor) -> None:
    rename_myself(session, ann, "  Ann   Smith ")
    rename_myself(session, ann, "Ann Smith")
    assert session.scalar(text("SELECT name FROM users WHERE user_id = :ann"), {"ann": ann.user_id}) == "Ann Smith"
    assert actions(session) == ["account:user:rename"]
    set_locale(session, ann, date_format="day first")
    assert get_locale(session, ann) == Locale("day first")
    for wrong in ({"date_format": "stardate"}, {"number_format": "1x"}, {"time_zone": "Mars/Olympus"}):
        with pytest.raises(Invalid):
            set_locale(session, ann, **wrong)


def test_every_change_of_people_is_told_in_the_audit_trail(session: Session, ada: Actor, ben: Actor) -> None:
    token = invite(session, ada, email="eve@example.com", role=Role.MEMBER)
    accept_invitation(session, token, email="", name="Eve", password="a fine password")
    invite(session, ada, email="fay@example.com", role=Role.MEMBER)
    revoke_invitation(session, ada, invitations(session, ada)[0].invitation_id)
    change_role(session, ada, ben.user_id, role=Role.ANALYST)
    deactivate(session, ada, ben.user_id)
    reactivate(session, ada, ben.user_id)
    assert actions(session) == [
        "account:invitation:create",
        "account:user:create",
        "account:invitation:accept",
        "account:invitation:create",
        "account:invitation:revoke",
        "account:user:role",
        "account:user:deactivate",
        "account:user:reactivate",
    ]


def test_today_is_the_day_where_the_person_is(session: Session, ann: Actor, ben: Actor) -> None:
    """There is always one of these two zones, 26 hours apart, where it is another day."""
    set_locale(session, ann, time_zone="Pacific/Kiritimati")
    set_locale(session, ben, time_zone="Pacific/Niue")
    kiritimati, niue = (today(get_locale(session, actor)) for actor in (ann, ben))
    assert kiritimati == datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    assert (kiritimati - niue).days in {1, 2}
