"""Signing in: the same answer and the same cost for everybody, throttled, and over at once when it is over."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core import passwords
from core.accounts import (
    change_role,
    clean_email,
    create_user,
    deactivate,
    reactivate,
)
from core.actor import Actor
from core.errors import Invalid, NotAllowed, NotFound
from core.invitations import accept_invitation, first_admin_link, invite, revoke_invitation, welcome
from core.passwords import checked_password
from core.permissions import Role
from core.sessions import actor_of_session, end_session, my_sessions, session_of_token, start_session
from core.sign_in import change_password, sign_in
from core.throttle import plain_address
from core.tickets import make_ticket, redeem_ticket
from core.tokens import grant_tokens, refresh_tokens, session_of_access_token
from db.engine import transaction
from tests.conftest import PASSWORD

KEY = "a key of at least thirty-two bytes, surely"
HOME = "192.0.2.7"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes of the same kind at a cost that tests can afford."""
    monkeypatch.setattr(passwords.hash_password, "__kwdefaults__", {"cost": 4})


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """Counts what reaches bcrypt."""
    seen: list[bytes] = []
    really = passwords.bcrypt.checkpw

    def count(password: bytes, stored: bytes) -> bool:
        seen.append(password)
        return bool(really(password, stored))

    monkeypatch.setattr(passwords.bcrypt, "checkpw", count)
    return seen


def attempt(email: str, password: str = PASSWORD, address: str = HOME) -> int | None:
    return sign_in(transaction, email, password, address=address, grant=lambda _, user_id: user_id)


def test_the_right_password_signs_in_however_the_address_is_cased(session: Session, ann: Actor) -> None:
    assert attempt(" Ann@Example.COM ") == ann.user_id


def test_unknown_and_known_cost_the_same_number_of_hashes(session: Session, checks: list[bytes]) -> None:
    assert attempt("nobody@example.com") is None
    unknown = len(checks)
    assert attempt("ann@example.com", "wrong password") is None
    assert (unknown, len(checks)) == (1, 2)


def test_the_sixth_try_is_refused_even_with_the_right_password_and_others_are_not(session: Session, ben: Actor) -> None:
    for _ in range(5):
        assert attempt("ann@example.com", "wrong password") is None
    assert attempt("ann@example.com") is None
    assert attempt("ben@example.com") == ben.user_id


def test_the_window_slides_and_nobody_stays_locked_out(session: Session, ann: Actor) -> None:
    for _ in range(5):
        attempt("ann@example.com", "wrong password")
    session.execute(text("UPDATE sign_in_failures SET failed_at = failed_at - interval '16 minutes'"))
    assert attempt("ann@example.com") == ann.user_id


def test_an_address_that_tries_many_accounts_is_throttled(session: Session, ann: Actor) -> None:
    for number in range(30):
        attempt(f"guess{number}@example.com", "wrong password")
    assert attempt("ann@example.com") is None
    assert attempt("ann@example.com", address="198.51.100.1") == ann.user_id


def test_right_sign_ins_do_not_count_as_failures(session: Session, ann: Actor) -> None:
    assert [attempt("ann@example.com") for _ in range(8)] == [ann.user_id] * 8


def test_parallel_guesses_do_not_slip_past_the_limit(database: str, checks: list[bytes]) -> None:
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: attempt("ann@example.com", "wrong password"), range(20)))
    assert len(checks) == 5


def test_failures_are_audited_without_the_password(session: Session) -> None:
    attempt("ann@example.com", "my secret guess")
    events = session.execute(text("SELECT action, facts::text FROM audit_events")).all()
    assert [event.action for event in events] == ["account:sign-in:fail"]
    assert "my secret guess" not in events[0].facts


@pytest.mark.parametrize(
    "password", ["", "x" * 73, "é" * 40, "with\x00nul and more", "\ud800 lone surrogate", "x" * 10**6]
)
def test_odd_passwords_never_sign_in_and_never_fail_badly(session: Session, password: str) -> None:
    assert attempt("ann@example.com", password) is None


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "at least 10"),
        ("x" * 73 + "yz1", "at most 72"),
        (" leading and so on", "begin or end"),
        ("aaaaaaaaaaaaaa", "too few different"),
        ("nul\x00nul\x00nul", "cannot be stored"),
    ],
)
def test_the_password_policy_says_what_is_wrong(password: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        checked_password(password)


def test_an_emoji_password_works_to_the_letter(session: Session) -> None:
    create_user(session, None, email="eve@example.com", name="Eve", role=Role.MEMBER, password="🔑 pässwörd 🔑")
    assert attempt("eve@example.com", "🔑 pässwörd 🔑") is not None
    assert attempt("eve@example.com", "🔑 passwörd 🔑") is None


@pytest.mark.parametrize(
    "email", ["x", "a@b@c", "a b@c.de", "a@b\nc.de", "@b.de", "a@", "<a@b.de>", "a" * 250 + "@b.de"]
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(Invalid):
        clean_email(email)


def test_an_address_has_one_account_however_it_is_written(session: Session) -> None:
    with pytest.raises(Invalid, match="already"):
        create_user(session, None, email="ANN@example.com ", name="Ann again", role=Role.MEMBER)


# --- tickets and sessions


def signed_in(session: Session, who: Actor) -> tuple[UUID, str]:
    return start_session(session, who.user_id, kind="browser", address=HOME, user_agent="Firefox/1")


def test_a_ticket_works_once_in_the_browser_that_earned_it(session: Session, ann: Actor) -> None:
    ticket = make_ticket(session, ann.user_id, nonce="mine")

    def redeem(nonce: str) -> str | None:
        return redeem_ticket(session, ticket, nonce=nonce, address=HOME, user_agent="x")

    assert redeem("another browser's") is None
    token = redeem("mine")
    assert token
    assert redeem("mine") is None
    found = session_of_token(session, token)
    assert found
    assert found.user_id == ann.user_id


def test_a_late_ticket_is_worth_nothing(session: Session, ann: Actor) -> None:
    ticket = make_ticket(session, ann.user_id, nonce="mine")
    session.execute(text("UPDATE sign_in_tickets SET expires_at = now() - interval '1 second'"))
    assert redeem_ticket(session, ticket, nonce="mine", address=HOME, user_agent="x") is None


def test_every_sign_in_is_a_new_session(session: Session, ann: Actor) -> None:
    assert signed_in(session, ann) != signed_in(session, ann)


@pytest.mark.parametrize(
    "column", ["expires_at = now()", "last_seen_at = now() - interval '13 hours'", "ended_at = now()"]
)
def test_a_session_that_is_over_is_nobody(session: Session, ann: Actor, column: str) -> None:
    session_id, token = signed_in(session, ann)
    assert actor_of_session(session, session_id) is not None
    session.execute(text(f"UPDATE sessions SET {column}"))
    assert actor_of_session(session, session_id) is None
    assert session_of_token(session, token) is None


def test_only_hashes_of_secrets_are_stored(session: Session, ann: Actor, ada: Actor) -> None:
    _, token = signed_in(session, ann)
    ticket = make_ticket(session, ann.user_id, nonce="the nonce")
    invitation = invite(session, ada, email="eve@example.com", role=Role.MEMBER)
    pair = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")
    tables = ("sessions", "sign_in_tickets", "invitations", "refresh_tokens", "audit_events")
    stored = "".join(str(session.execute(text(f"SELECT * FROM {table}")).all()) for table in tables)
    for secret in (token, ticket, "the nonce", invitation, pair.access_token, pair.refresh_token):
        assert secret not in stored


def everything_of(session: Session, who: Actor) -> tuple[UUID, Any, str]:
    """One of each credential of a person."""
    session_id, _ = signed_in(session, who)
    pair = grant_tokens(session, who.user_id, key=KEY, address=HOME, user_agent="x")
    return session_id, pair, make_ticket(session, who.user_id, nonce="n")


def works(session: Session, held: tuple[UUID, Any, str]) -> list[bool]:
    session_id, pair, ticket = held
    api_session = session_of_access_token(pair.access_token, key=KEY)
    assert api_session
    return [
        actor_of_session(session, session_id) is not None,
        actor_of_session(session, api_session) is not None,
        refresh_tokens(session, pair.refresh_token, key=KEY) is not None,
        redeem_ticket(session, ticket, nonce="n", address=HOME, user_agent="x") is not None,
    ]


def test_all_credentials_die_with_a_password_change_a_role_change_and_a_deactivation(
    session: Session, ada: Actor, ann: Actor
) -> None:
    assert works(session, everything_of(session, ann)) == [True] * 4
    held = everything_of(session, ann)
    change_password(transaction, ann, current=PASSWORD, new="another good password")
    assert works(session, held) == [False] * 4
    held = everything_of(session, ann)
    change_role(session, ada, ann.user_id, role=Role.MANAGER)
    assert works(session, held) == [False] * 4
    held = everything_of(session, ann)
    deactivate(session, ada, ann.user_id)
    assert works(session, held) == [False] * 4
    assert attempt("ann@example.com", "another good password") is None
    reactivate(session, ada, ann.user_id)
    assert works(session, held) == [False] * 4
    assert attempt("ann@example.com", "another good password") == ann.user_id


def test_a_password_is_changed_only_with_the_current_one(session: Session, ann: Actor) -> None:
    with pytest.raises(Invalid, match="current"):
        change_password(transaction, ann, current="not this one", new="another good password")


def test_my_sessions_are_mine_to_end_and_nobody_elses(session: Session, ann: Actor, ben: Actor) -> None:
    mine, _ = signed_in(session, ann)
    with pytest.raises(NotFound):
        end_session(session, ben, mine)
    assert [one.session_id for one in my_sessions(session, ann)] == [mine]
    end_session(session, ann, mine)
    assert my_sessions(session, ann) == []
    with pytest.raises(NotFound):
        end_session(session, ann, mine)


# --- tokens


def claims(**changed: Any) -> dict[str, Any]:
    good = {"iss": "contrivance", "aud": "contrivance-api", "sub": "2", "iat": 1, "exp": 2**33, "jti": "x"}
    return good | {"sid": str(uuid4()), "typ": "access"} | changed


def test_an_access_token_is_refused_for_anything_that_is_wrong_with_it() -> None:
    def sid(token: str) -> UUID | None:
        return session_of_access_token(token, key=KEY)

    assert sid(jwt.encode(claims(), KEY, "HS256"))
    without = {name: value for name, value in claims().items() if name != "exp"}
    wrong = [
        jwt.encode(claims(), KEY, "HS512"),
        jwt.encode(claims(), None, "none"),
        jwt.encode(claims(), KEY + "x", "HS256"),
        jwt.encode(claims(exp=1), KEY, "HS256"),
        jwt.encode(without, KEY, "HS256"),
        jwt.encode(claims(aud="another"), KEY, "HS256"),
        jwt.encode(claims(iss="another"), KEY, "HS256"),
        jwt.encode(claims(typ="refresh"), KEY, "HS256"),
        jwt.encode(claims(sid="no uuid"), KEY, "HS256"),
        "",
        "a.b.c",
    ]
    assert [sid(token) for token in wrong] == [None] * len(wrong)


def test_a_refresh_token_works_once_and_using_it_twice_ends_the_family(session: Session, ann: Actor) -> None:
    first = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")
    second = refresh_tokens(session, first.refresh_token, key=KEY)
    assert second
    assert refresh_tokens(session, first.refresh_token, key=KEY) is None
    assert refresh_tokens(session, second.refresh_token, key=KEY) is None
    assert refresh_tokens(session, second.access_token, key=KEY) is None
    sid = session_of_access_token(second.access_token, key=KEY)
    assert sid
    assert actor_of_session(session, sid) is None


# --- people


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


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("?", "0.0.0.0"),
        (None, "0.0.0.0"),
    ],
)
def test_addresses_have_one_form(given: str | None, kept: str) -> None:
    assert plain_address(given) == kept
