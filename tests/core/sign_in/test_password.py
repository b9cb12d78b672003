"""Signing in: the same answer and the same cost for everybody, throttled, and never with a password of yesterday."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Literal
from unicodedata import normalize

import bcrypt
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from core.accounts.accounts import create_user
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.permissions import Role
from core.base.text import clean_email
from core.credentials import passwords
from core.credentials.passwords import COST, MIN_LENGTH, is_guessable, validate_password
from core.limits.login_throttle import normalize_address
from core.sign_in.password import change_password
from db.engine import transaction
from tests.conftest import PASSWORD
from tests.support.core.signing_in import HOME, actions, attempt

NEW = "another good password"


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
        (" leading and so on", "start or end"),
        ("aaaaaaaaaaaaaa", "too few different"),
        ("nul\x00nul\x00nul", "cannot be stored"),
        ("password1234", "easy to guess"),
        ("P@ssw0rd1234", "easy to guess"),
        ("qwertyuiop", "easy to guess"),
        ("4321drowssap", "easy to guess"),
        ("2026-03-15 ", "start or end"),
    ],
)
def test_the_password_policy_says_what_is_wrong(password: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        validate_password(password)


def test_every_common_password_of_the_list_that_is_long_enough_is_refused() -> None:
    common = [one for one in FREQUENCY_LISTS["passwords"] if len(one) >= MIN_LENGTH]
    assert len(common) > 1000
    assert [one for one in common if not is_guessable(one)] == []


def test_no_password_takes_long_to_be_judged() -> None:
    """Those that give the estimate most to look at, within the longest that is taken."""
    began = time.process_time()
    for hard in ("l1i!|1" * 12, "4@a$5s3e0o1l" * 6, "1990" * 18, "@4" * 36):
        is_guessable(hard)
    assert time.process_time() - began < 3


@pytest.mark.parametrize(("stored", "typed"), [("NFC", "NFD"), ("NFD", "NFC")])
@pytest.mark.parametrize("by", ["us", "an earlier version"])
def test_a_password_works_however_a_keyboard_composes_its_accents(
    session: Session, stored: Literal["NFC", "NFD"], typed: Literal["NFC", "NFD"], by: str
) -> None:
    password = "Grüße an José, später"
    eve = create_user(
        session, None, email="eve@example.com", name="Eve", role=Role.MEMBER, password=normalize(stored, password)
    )
    if by == "an earlier version":  # It stored what came.
        kept = bcrypt.hashpw(normalize(stored, password).encode(), bcrypt.gensalt(4)).decode()
        session.execute(text("UPDATE users SET password_hash = :kept WHERE user_id = :eve"), {"kept": kept, "eve": eve})
    assert attempt("eve@example.com", normalize(stored, password)) == eve
    assert attempt("eve@example.com", normalize(typed, password)) == eve
    assert attempt("eve@example.com", "Grusse an Jose, spater") is None


def test_accents_cost_the_same_for_known_and_unknown(session: Session, checks: list[bytes]) -> None:
    for email in ("nobody@example.com", "ann@example.com"):
        before = len(checks)
        attempt(email, "Grüße an José, später")
        assert len(checks) - before == 2


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


def test_a_check_for_nobody_costs_as_much_as_one_for_somebody() -> None:
    assert passwords._dummy_hash().startswith(f"$2b${COST}$")
    assert bcrypt.checkpw(b"anything", passwords._dummy_hash().encode()) is False


def test_a_flood_of_throttled_attempts_is_told_once(session: Session) -> None:
    for number in range(12):
        attempt("ann@example.com", f"guess {number}")
    attempt("ann@example.com", address="198.51.100.1")
    assert actions(session).count("account:sign-in:fail") == 5
    assert actions(session).count("account:sign-in:throttle") == 2


def test_failures_that_no_window_reaches_go_with_the_next_sign_in(session: Session) -> None:
    attempt("ann@example.com", "wrong password")
    session.execute(text("UPDATE sign_in_failures SET failed_at = failed_at - interval '2 hours'"))
    assert attempt("ben@example.com")
    assert session.scalar(text("SELECT count(*) FROM sign_in_failures")) == 0


def test_a_password_changed_while_the_old_one_is_checked_lets_nobody_in(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = passwords.bcrypt.checkpw

    def meanwhile(password: bytes, stored: bytes) -> bool:
        session.execute(text("UPDATE users SET password_hash = 'x' || password_hash WHERE name = 'Ann'"))
        return bool(really(password, stored))

    monkeypatch.setattr(passwords.bcrypt, "checkpw", meanwhile)
    assert attempt("ann@example.com") is None


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
    assert normalize_address(given) == kept


# --- changing the password


def test_a_password_is_changed_only_with_the_current_one(session: Session, ann: Actor) -> None:
    with pytest.raises(Invalid, match="current"):
        change_password(transaction, ann, current="not this one", new=NEW)
    assert attempt("ann@example.com") == ann.user_id


@pytest.mark.parametrize(("new", "reason"), [(PASSWORD, "the current one"), ("short", "at least 10")])
def test_a_new_password_is_new_and_keeps_the_policy(session: Session, ann: Actor, new: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        change_password(transaction, ann, current=PASSWORD, new=new)


def test_the_current_password_cannot_be_guessed_without_end(session: Session, ann: Actor, checks: list[bytes]) -> None:
    for number in range(8):
        with pytest.raises(Invalid):
            change_password(transaction, ann, current=f"guess number {number}", new=NEW)
    assert len(checks) == 5
    with pytest.raises(Invalid):
        change_password(transaction, ann, current=PASSWORD, new=NEW)


def test_a_changed_password_is_the_one_that_counts(session: Session, ann: Actor) -> None:
    change_password(transaction, ann, current=PASSWORD, new=NEW)
    assert attempt("ann@example.com") is None
    assert attempt("ann@example.com", NEW, HOME) == ann.user_id
    assert "account:password:change" in actions(session)
