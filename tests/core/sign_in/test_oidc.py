"""Who comes from an OpenID Connect provider: let in as who they are here, or told how to get in."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.accounts import create_user, deactivate
from core.accounts.invitations import invite, welcome
from core.accounts.registration import Registration, set_registration_policy
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound, Refused
from core.base.permissions import Role
from core.sign_in.email_links import request_password_reset, reset_password
from core.sign_in.oidc import (
    complete_sign_in,
    link_own_account,
    link_with_password,
    pending_link,
    pending_sign_in,
    store_claims,
)
from core.sign_in.oidc_identities import add_identity, my_identities, unlink
from core.sign_in.second_factor import confirm_second_factor
from db.engine import transaction
from tests.conftest import PASSWORD
from tests.core.sign_in.test_second_factor import app_of
from tests.support.core.signing_in import HOME, Post, actions, attempt, token_in

ISSUER = "https://login.example.com"
pytestmark = pytest.mark.usefixtures("own_settings")


def arrived(session: Session, subject: str = "s-1", **claims: Any) -> str:
    """The token of somebody whom the provider has just sent."""
    said = {"iss": ISSUER, "sub": subject, "email": "ann@example.com", "email_verified": True, "name": "Ann"}
    token = store_claims(session, said | claims)
    assert token
    return token


def come_in(session: Session, token: str) -> int | str:
    return complete_sign_in(session, token, grant=lambda _, user_id: user_id, without_code=lambda *_: "a code")


def confirm(token: str, password: str, code: str = "") -> int | str | None:
    return link_with_password(
        transaction,
        token,
        password,
        code=code,
        address=HOME,
        grant=lambda _, who: who,
        without_code=lambda *_: "a code",
    )


def test_an_account_with_a_password_is_linked_by_giving_it_once(session: Session, ann: Actor) -> None:
    token = arrived(session)
    assert pending_sign_in(session, token).asks_password
    with pytest.raises(NotAllowed, match="password once"):
        come_in(session, token)
    token = arrived(session)
    assert confirm(token, "a wrong password") is None
    assert confirm(token, PASSWORD) == ann.user_id
    assert come_in(session, arrived(session)) == ann.user_id
    assert come_in(session, arrived(session, email="ann@elsewhere.example")) == ann.user_id
    assert "account:provider:link" in actions(session)


def test_the_person_is_told_by_letter(session: Session, post: Post, ann: Actor) -> None:
    confirm(arrived(session), PASSWORD)
    assert [(whom, letter.subject) for whom, letter in post()] == [(ann.email, "A new way to sign in")]


def test_guessing_the_password_is_counted_like_a_sign_in(session: Session, ann: Actor) -> None:
    token = arrived(session)
    for _ in range(5):
        assert confirm(token, "a wrong password") is None
    assert confirm(token, PASSWORD) is None
    assert attempt(ann.email) is None


def test_an_account_without_a_password_is_linked_by_its_confirmed_address(session: Session) -> None:
    nora = create_user(session, None, email="nora@example.com", name="Nora", role=Role.MEMBER)
    assert come_in(session, arrived(session, email="Nora@example.com")) == nora


@pytest.mark.parametrize("verified", [False, None, "false", "", "yes", 1, [True], {}])
def test_an_address_that_is_not_confirmed_links_nothing_and_tells_nothing(session: Session, verified: Any) -> None:
    said = set()
    for email in ("ann@example.com", "nobody@example.com"):
        with pytest.raises(NotAllowed, match="hasn't verified") as refused:
            come_in(session, arrived(session, email=email, email_verified=verified))
        said.add(refused.value.message.replace(email, ""))
    assert len(said) == 1


def test_a_stranger_comes_in_by_the_rule_of_registration(session: Session, ada: Actor) -> None:
    with pytest.raises(NotAllowed, match="by invitation"):
        come_in(session, arrived(session, email="eve@example.com"))
    set_registration_policy(session, ada, Registration.DOMAINS, domains=("example.org",))
    with pytest.raises(NotAllowed, match="may register"):
        come_in(session, arrived(session, email="eve@example.com"))
    eve = come_in(session, arrived(session, email="eve@example.org", name="Eve\u202e  <b>"))
    assert session.scalar(text("SELECT role FROM users WHERE user_id = :id"), {"id": eve}) == "member"
    assert come_in(session, arrived(session, email="eve@example.org")) == eve


def test_a_stranger_comes_in_by_an_invitation_which_is_used_up(session: Session, ada: Actor) -> None:
    link = invite(session, ada, email="eve@example.com", role=Role.MANAGER)
    eve = come_in(session, arrived(session, email="eve@example.com", name="Eve"))
    found = session.execute(text("SELECT name, role, email_verified_at FROM users WHERE user_id = :id"), {"id": eve})
    name, role, verified_at = found.one()
    assert (name, role, verified_at is not None) == ("Eve", "manager", True)
    with pytest.raises(NotFound):
        welcome(session, link)
    with pytest.raises(Invalid, match="There is already an account"):
        invite(session, ada, email="eve@example.com", role=Role.ADMIN)


def test_whoever_has_an_old_address_now_is_not_taken_for_who_had_it(session: Session) -> None:
    create_user(session, None, email="nora@example.com", name="Nora", role=Role.MEMBER)
    come_in(session, arrived(session, "s-nora", email="nora@example.com"))
    with pytest.raises(NotAllowed, match="another account"):
        come_in(session, arrived(session, "s-successor", email="nora@example.com"))


def test_a_deactivated_person_is_refused_linked_or_not(session: Session, ada: Actor, ann: Actor, ben: Actor) -> None:
    add_identity(session, ann.user_id, ISSUER, "s-1")
    for who in (ann, ben):
        deactivate(session, ada, who.user_id)
    for token in (arrived(session), arrived(session, "s-2", email=ben.email)):
        with pytest.raises(NotAllowed, match="deactivated"):
            come_in(session, token)


def test_a_code_is_asked_after_the_provider_as_after_a_password(session: Session, ann: Actor) -> None:
    app = app_of(session, ann, [time.time()])
    confirm_second_factor(session, ann, app())
    token = arrived(session)
    assert confirm(token, PASSWORD) == "a code"
    assert my_identities(session, ann) == []
    assert confirm(token, PASSWORD, "000000") is None
    assert confirm(token, PASSWORD, app(1)) == ann.user_id
    assert come_in(session, arrived(session)) == "a code"


def test_an_arrival_works_once_and_not_late(session: Session, ann: Actor) -> None:
    add_identity(session, ann.user_id, ISSUER, "s-1")
    token = arrived(session)
    assert come_in(session, token) == ann.user_id
    late = arrived(session)
    session.execute(text("UPDATE provider_arrivals SET expires_at = now()"))
    for gone in (token, late, "", "guessed"):
        with pytest.raises(NotFound):
            come_in(session, gone)


def test_of_two_windows_with_one_arrival_one_comes_in(database: str, ann: Actor) -> None:
    with transaction() as session:
        add_identity(session, ann.user_id, ISSUER, "s-1")
        token = arrived(session)

    def attempt_it(_: int) -> bool:
        try:
            with transaction() as session:
                return come_in(session, token) == ann.user_id
        except NotFound:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt_it, range(4))) == [False, False, False, True]


def test_i_link_my_account_whatever_its_address_there_and_unlink_it(session: Session, ann: Actor, ben: Actor) -> None:
    token = arrived(session, email="a.private@example.org", email_verified=False)
    assert pending_link(session, ann, token).user_id == ann.user_id
    with pytest.raises(Invalid, match="current password is wrong"):
        link_own_account(transaction, ann, token, password="a wrong password")
    link_own_account(transaction, ann, token, password=PASSWORD)
    assert [one.issuer for one in my_identities(session, ann)] == [ISSUER]
    with pytest.raises(NotAllowed, match="linked with another user"):
        pending_link(session, ben, arrived(session))
    with pytest.raises(NotAllowed, match="another account of"):
        pending_link(session, ann, arrived(session, "s-2"))
    with pytest.raises(Invalid, match="linked with another user"):
        link_own_account(transaction, ben, arrived(session), password=PASSWORD)
    with pytest.raises(NotFound):
        unlink(session, ben, ISSUER)
    unlink(session, ann, ISSUER)
    assert pending_sign_in(session, arrived(session)).asks_password


def test_who_has_no_password_keeps_the_one_way_in_and_may_choose_a_password(session: Session, post: Post) -> None:
    create_user(session, None, email="nora@example.com", name="Nora", role=Role.MEMBER)
    nora = come_in(session, arrived(session, email="nora@example.com"))
    assert isinstance(nora, int)
    who = Actor(nora, "Nora", "nora@example.com", Role.MEMBER)
    with pytest.raises(Invalid, match="couldn't sign in any more"):
        unlink(session, who, ISSUER)
    post()
    request_password_reset(session, who.email, address=HOME, url="http://here")
    ((_, letter),) = post()
    reset_password(session, token_in(letter), "a fine password")
    unlink(session, who, ISSUER)
    assert attempt(who.email, "a fine password") == nora


@pytest.mark.parametrize(
    "claims", [{}, {"sub": "x"}, {"iss": ISSUER}, {"iss": ISSUER, "sub": ""}, {"iss": ISSUER, "sub": 7},
               {"iss": ISSUER, "sub": "x" * 256}, {"iss": ISSUER, "sub": "a\x00b"}, {"iss": None, "sub": "x"}]
)  # fmt: skip
def test_what_says_not_who_it_is_is_nobody(session: Session, claims: dict[str, Any]) -> None:
    assert store_claims(session, claims) is None


@pytest.mark.parametrize("email", [None, 7, "", "no address", "a\n@example.com", "a" * 300 + "@example.com"])
def test_odd_addresses_are_none(session: Session, email: Any) -> None:
    with pytest.raises(Refused, match="hasn't verified"):
        come_in(session, arrived(session, email=email))
