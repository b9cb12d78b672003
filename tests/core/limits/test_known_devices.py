"""Who signed in before keeps their way in while others guess; guessing stays as hard as it is."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base.actor import Actor
from core.base.errors import Invalid
from core.limits.known_devices import MAX_DEVICES, known_client, remember_device
from core.limits.login_throttle import MAX_PER_ADDRESS
from core.sign_in.email_links import reset_link, reset_password
from core.sign_in.password import change_password
from db.engine import transaction
from tests.conftest import PASSWORD
from tests.support.core.signing_in import HOME, attempt, signed_in

ELSEWHERE, TRAIN, NEW = "198.51.100.9", "203.0.113.5", "another good password"


def guess(times: int, email: str = "ann@example.com", address: str = ELSEWHERE, device: str = "") -> None:
    for number in range(times):
        assert attempt(email, f"wrong password {number}", address, device) is None


def test_a_browser_that_signed_in_before_keeps_its_way_in_while_others_guess(
    session: Session, ann: Actor, ben: Actor
) -> None:
    device = remember_device(session, ann.user_id, "")
    other = remember_device(session, ben.user_id, "")
    guess(6)
    assert attempt(ann.email, address=TRAIN) is None
    assert attempt(ann.email, address=TRAIN, device="made up") is None
    assert attempt(ann.email, address=TRAIN, device=other) is None
    assert attempt(ann.email, address=TRAIN, device=device) == ann.user_id


def test_an_address_that_signed_in_before_keeps_its_way_in_while_others_guess(session: Session, ann: Actor) -> None:
    signed_in(session, ann)
    guess(6)
    assert attempt(ann.email, address=TRAIN) is None
    assert attempt(ann.email, address=HOME) == ann.user_id


def test_where_somebody_signed_in_before_guessing_ends_after_five_failures_too(
    session: Session, ann: Actor, checks: list[bytes]
) -> None:
    signed_in(session, ann)
    device = remember_device(session, ann.user_id, "")
    for place in ({"address": HOME}, {"device": device}):
        tried = len(checks)
        guess(8, **place)
        assert len(checks) - tried == 5
        assert attempt(ann.email, **place) is None
    assert attempt(ann.email, address=TRAIN) == ann.user_id  # Nor are strangers shut out by what happens there.


def test_a_neighbour_who_guesses_at_many_accounts_shuts_no_known_browser_out(session: Session, ann: Actor) -> None:
    device = remember_device(session, ann.user_id, "")
    for number in range(MAX_PER_ADDRESS):
        guess(1, f"guess{number}@example.com", HOME)
    assert attempt(ann.email) is None
    assert attempt(ann.email, device=device) == ann.user_id


def test_who_is_signed_in_changes_their_password_while_others_guess(session: Session, ann: Actor) -> None:
    here = replace(ann, session_id=uuid4(), address=TRAIN)
    guess(6)
    with pytest.raises(Invalid, match="current"):
        change_password(transaction, here, current="not this one", new=NEW)
    change_password(transaction, here, current=PASSWORD, new=NEW)


def test_a_new_password_by_a_letter_opens_a_known_place_again_too(session: Session, ann: Actor) -> None:
    device = remember_device(session, ann.user_id, "")
    guess(5, device=device)
    assert attempt(ann.email, device=device) is None
    reset_password(session, reset_link(session, ann.email) or "", NEW)
    assert attempt(ann.email, NEW, device=device) == ann.user_id


def test_an_address_that_nobody_can_tell_apart_is_no_known_one(session: Session, ann: Actor) -> None:
    session.execute(text("UPDATE sessions SET address = '0.0.0.0'"))
    signed_in(session, ann)
    session.execute(text("UPDATE sessions SET address = '0.0.0.0'"))
    assert known_client(session, ann.email, "0.0.0.0") is None


def test_a_browser_is_known_for_everybody_who_signed_in_there_and_by_no_token_but_ours(
    session: Session, ann: Actor, ben: Actor
) -> None:
    planted = remember_device(session, ann.user_id, "planted by somebody")
    assert planted != "planted by somebody"
    assert remember_device(session, ben.user_id, planted) == planted
    places = {known_client(session, who.email, TRAIN, device=planted) for who in (ann, ben)}
    assert len(places) == 2
    assert None not in places


def test_an_account_has_ten_known_browsers_the_latest(session: Session, ann: Actor) -> None:
    devices = [remember_device(session, ann.user_id, "") for _ in range(MAX_DEVICES + 1)]
    known = [known_client(session, ann.email, TRAIN, device=device) is not None for device in devices]
    assert known == [False] + [True] * MAX_DEVICES
