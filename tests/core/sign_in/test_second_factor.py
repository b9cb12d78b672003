"""The second factor: asked after the right password only, each code once, and never in the way of the throttle."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.credentials.login_tickets import create_pending_ticket, redeem_ticket
from core.sign_in import second_factor as module
from core.sign_in.password import (
    renew_recovery_codes,
    set_up_second_factor,
    sign_in,
    sign_in_with_code,
    switch_off_second_factor,
)
from core.sign_in.second_factor import (
    confirm_second_factor,
    create_pending_factor,
    is_second_factor,
    pending_secret,
    reset_second_factor,
    second_factor,
)
from db.engine import transaction
from tests.conftest import PASSWORD
from tests.support.core.signing_in import HOME, actions

App = Callable[..., str]
pytestmark = pytest.mark.usefixtures("own_settings")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The time that codes go by; tests put it forward."""
    now = [time.time()]
    monkeypatch.setattr(module.time, "time", lambda: now[0])
    return now


def app_of(session: Session, who: Actor, clock: list[float]) -> App:
    """An authenticator app with the person's key: the code of now, or of so many steps away."""
    create_pending_factor(session, who.user_id)
    waiting = pending_secret(session, who)
    assert waiting
    totp = pyotp.TOTP(waiting[0])
    return lambda steps=0: totp.at(int(clock[0]) + 30 * steps)


@pytest.fixture
def app(session: Session, ann: Actor, clock: list[float]) -> App:
    """Ann's app, switched on."""
    made = app_of(session, ann, clock)
    confirm_second_factor(session, ann, made())
    clock[0] += 60
    return made


def outcome(code: str = "", password: str = PASSWORD) -> str | None:
    return sign_in(
        transaction,
        "ann@example.com",
        password,
        address=HOME,
        grant=lambda *_: "in",
        without_code=lambda *_: "code needed",
        code=code,
    )


def test_a_factor_counts_once_a_code_of_the_app_confirms_it(session: Session, ann: Actor, clock: list[float]) -> None:
    app = app_of(session, ann, clock)
    assert outcome() == "in"
    with pytest.raises(Invalid, match="is wrong"):
        confirm_second_factor(session, ann, "000000" if app() != "000000" else "000001")
    codes = confirm_second_factor(session, ann, f" {app()[:3]} {app()[3:]} ")
    assert len(set(codes)) == 10
    assert outcome() == "code needed"
    assert second_factor(session, ann).codes_left == 10
    with pytest.raises(Invalid, match="already"):
        create_pending_factor(session, ann.user_id)


def test_that_a_code_is_needed_is_told_after_the_right_password_only(app: App) -> None:
    assert outcome() == "code needed"
    assert outcome(password="wrong password") is None
    assert outcome(app(), password="wrong password") is None
    assert outcome(app()) == "in"


def test_no_code_works_twice(app: App, clock: list[float]) -> None:
    used = app()
    assert outcome(used) == "in"
    assert outcome(used) is None
    assert outcome(app(-1)) is None
    clock[0] += 30
    assert outcome(used) is None
    assert outcome(app()) == "in"


def test_a_clock_may_be_off_by_half_a_minute_and_no_more(app: App) -> None:
    assert outcome(app(-2)) is None
    assert outcome(app(2)) is None
    assert outcome(app(-1)) == "in"
    assert outcome(app(1)) == "in"


@pytest.mark.parametrize("code", ["000000", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-", "\x00", "a" * 5000])
def test_what_is_no_code_lets_nobody_in(app: App, code: str) -> None:
    assert code == app() or outcome(code) is None


def test_guesses_of_codes_are_throttled_like_passwords(app: App, session: Session) -> None:
    for _ in range(5):
        assert outcome("000000") is None
    assert outcome(app()) is None
    assert actions(session).count("account:sign-in:fail") == 5


def test_one_code_in_many_hands_lets_one_in(database: str, ann: Actor, clock: list[float]) -> None:
    with transaction() as session:
        app = app_of(session, ann, clock)
        confirm_second_factor(session, ann, app())
    clock[0] += 60

    def use(_: int) -> bool:
        with transaction() as session:
            return is_second_factor(session, ann.user_id, app())

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(8))) == 1


def test_a_recovery_code_lets_in_once_however_it_is_typed(session: Session, ann: Actor, clock: list[float]) -> None:
    app = app_of(session, ann, clock)
    codes = confirm_second_factor(session, ann, app())
    assert outcome(codes[0].upper().replace("-", " ")) == "in"
    assert outcome(codes[0]) is None
    assert outcome(codes[1]) == "in"
    assert second_factor(session, ann).codes_left == 8
    stored = str(session.execute(text("SELECT * FROM recovery_codes")).all())
    assert codes[2].replace("-", "") not in stored


def test_new_recovery_codes_end_the_old_ones(session: Session, ann: Actor, clock: list[float]) -> None:
    old = confirm_second_factor(session, ann, app_of(session, ann, clock)())
    with pytest.raises(Invalid, match="current password"):
        renew_recovery_codes(transaction, ann, password="wrong password")
    new = renew_recovery_codes(transaction, ann, password=PASSWORD)
    assert outcome(old[0]) is None
    assert outcome(new[0]) == "in"


def test_no_app_is_set_up_without_the_password(session: Session, ann: Actor) -> None:
    """Whoever sits at an open browser would lock its person out."""
    with pytest.raises(Invalid, match="current password"):
        set_up_second_factor(transaction, ann, password="wrong password")
    assert pending_secret(session, ann) is None
    set_up_second_factor(transaction, ann, password=PASSWORD)
    assert pending_secret(session, ann)


def test_an_app_that_nobody_confirms_for_a_while_asks_for_the_password_again(
    session: Session, ann: Actor, clock: list[float]
) -> None:
    app = app_of(session, ann, clock)
    session.execute(text("UPDATE second_factors SET created_at = now() - interval '15 minutes'"))
    assert pending_secret(session, ann) is None
    with pytest.raises(NotFound, match="Start again"):
        confirm_second_factor(session, ann, app())


def test_whoever_has_no_password_chooses_one_before_an_app(session: Session, ann: Actor) -> None:
    session.execute(text("UPDATE users SET password_hash = NULL WHERE name = 'Ann'"))
    for ask in (set_up_second_factor, switch_off_second_factor, renew_recovery_codes):
        with pytest.raises(Invalid, match="Choose one on your profile"):
            ask(transaction, ann, password="")
    assert pending_secret(session, ann) is None


def test_the_secret_is_sealed_in_the_database(session: Session, ann: Actor, clock: list[float]) -> None:
    create_pending_factor(session, ann.user_id)
    waiting = pending_secret(session, ann)
    assert waiting
    assert waiting[1].startswith("otpauth://totp/Contrivance:ann%40example.com?secret=")
    stored = session.scalar(text("SELECT secret FROM second_factors"))
    assert waiting[0].encode() not in stored


def test_a_factor_is_switched_off_with_the_password(app: App, session: Session, ann: Actor) -> None:
    with pytest.raises(Invalid, match="current password"):
        switch_off_second_factor(transaction, ann, password="wrong password")
    assert outcome() == "code needed"
    switch_off_second_factor(transaction, ann, password=PASSWORD)
    assert outcome() == "in"
    assert second_factor(session, ann).codes_left == 0


def test_an_administrator_takes_a_lost_factor_away(
    app: App, session: Session, ada: Actor, ann: Actor, ben: Actor
) -> None:
    with pytest.raises(NotAllowed):
        reset_second_factor(session, ben, ann.user_id)
    with pytest.raises(Invalid, match="without a second factor"):
        reset_second_factor(session, ada, ben.user_id)
    reset_second_factor(session, ada, ann.user_id)
    assert outcome() == "in"
    assert actions(session)[-1] == "account:second-factor:reset"


# --- the two steps of a page


def finish(pending: str, code: str, nonce: str = "mine") -> str | None:
    return sign_in_with_code(transaction, pending, code, nonce=nonce, address=HOME, grant=lambda *_: "in")


def test_the_second_step_belongs_to_the_browser_of_the_first(app: App, session: Session, ann: Actor) -> None:
    pending = create_pending_ticket(session, ann.user_id, nonce="mine")
    assert redeem_ticket(session, pending, nonce="mine", address=None, user_agent="") is None
    with pytest.raises(NotFound, match="Start again"):
        finish(pending, app(), nonce="another")
    assert finish(pending, "000000") is None
    assert finish(pending, app()) == "in"
    with pytest.raises(NotFound):
        finish(pending, app(1))


def test_the_second_step_ends_after_five_minutes_and_with_the_password(app: App, session: Session, ann: Actor) -> None:
    late = create_pending_ticket(session, ann.user_id, nonce="mine")
    session.execute(text("UPDATE sign_in_tickets SET expires_at = now()"))
    with pytest.raises(NotFound):
        finish(late, app())
    pending = create_pending_ticket(session, ann.user_id, nonce="mine")
    from core.credentials.revocation import revoke_credentials

    revoke_credentials(session, ann.user_id)
    with pytest.raises(NotFound):
        finish(pending, app())


def test_guesses_in_the_second_step_are_throttled(app: App, session: Session, ann: Actor) -> None:
    pending = create_pending_ticket(session, ann.user_id, nonce="mine")
    for _ in range(5):
        assert finish(pending, "") is None
    assert finish(pending, app()) is None
