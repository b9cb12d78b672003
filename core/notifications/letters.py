"""The letters: what each says. Written as it is sent, so that the secret of its link was never stored."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from core.accounts.invitations import link, mailed_token, registering_token
from core.accounts.registration import REGISTER, registration_policy
from core.mail.outbox import Letter, Order
from core.sign_in.email_links import ADDRESS, RESET, address_link, reset_link

LATE = timedelta(hours=1)  # Who asked for a new password so long ago has asked again or found the old one.
_NOTICES = {
    "password": ("Your password was changed", "The password of your account was changed at {when}."),
    "address": ("Your address was changed", "The address of your account was changed to {email} at {when}."),
    "second factor on": ("Two-factor sign-in is on", "Two-factor sign-in was switched on for you at {when}."),
    "second factor off": ("Two-factor sign-in is off", "Two-factor sign-in was switched off for you at {when}."),
    "second factor reset": (
        "Two-factor sign-in is off",
        "An administrator took the second factor from your account at {when}. Set up a new one on your profile.",
    ),
    "recovery codes": ("New recovery codes", "Your recovery codes were replaced at {when}. The old ones are void."),
    "provider": ("A new way to sign in", "An account at {label} was linked at {when}: it signs in as you here."),
    "token": ("A new API token", "An API token “{name}” was made for your account at {when}."),
}
NOT_YOU = "If this was not you, ask for a new password on the sign-in page at once and tell an administrator."


def compose(session: Session, order: Order) -> Letter | None:
    """The letter of an order, None where it is not needed (any more)."""
    return _COMPOSERS[order.kind](session, order)


def _reset(session: Session, order: Order) -> Letter | None:
    late = datetime.now(UTC) - order.created_at > LATE
    token = None if late else reset_link(session, order.recipient, made_by=order.facts.get("by"))
    if token is None:
        return None
    return Letter(
        "Choose a new password",
        ("Somebody, probably you, asked for a new password for your account at Contrivance.",),
        f"{order.facts['url']}/?reset={token}",
        "Choose a new password",
        ("The link works once, for thirty minutes. If it was not you, nothing needs to be done.",),
    )


def _address(session: Session, order: Order) -> Letter | None:
    token = address_link(session, order.facts["user"], order.recipient)
    if token is None:
        return None
    return Letter(
        "Confirm your address",
        ("You said at Contrivance that this is your address. Confirm it with the link.",),
        f"{order.facts['url']}/?confirm={token}",
        "Confirm this address",
        ("The link works once, for a day. If it was not you, nothing needs to be done.",),
    )


def _invitation(session: Session, order: Order) -> Letter | None:
    token = mailed_token(session, order.recipient)
    if token is None:
        return None
    return Letter(
        "You are invited to Contrivance",
        (f"{order.facts['by']} invites you to the sales pipeline that your team edits together.",),
        link(order.facts["url"], token),
        "Make your account",
        ("The link works once, for seven days.",),
    )


def _register(session: Session, order: Order) -> Letter | None:
    token = registering_token(session, order.recipient)
    if token is None and not registration_policy(session).admits(order.recipient):
        return None
    if token is None:
        there = "Somebody, probably you, wanted to make an account at Contrivance with this address, which has one."
        return Letter("You have an account", (there,), order.facts["url"], "Sign in")
    return Letter(
        "Make your account",
        ("Somebody, probably you, wants to make an account at Contrivance with this address.",),
        link(order.facts["url"], token),
        "Make my account",
        ("The link works once, for seven days. If it was not you, nothing needs to be done.",),
    )


def _notice(_session: Session, order: Order) -> Letter:
    subject, sentence = _NOTICES[order.facts["what"]]
    when = f"{order.created_at:%Y-%m-%d %H:%M} UTC"
    facts = {name: str(value) for name, value in order.facts.items() if name != "what"}
    return Letter(subject, (sentence.format(when=when, **facts),), after=(NOT_YOU,))


_COMPOSERS: dict[str, Callable[[Session, Order], Letter | None]] = {
    RESET: _reset,
    ADDRESS: _address,
    "invitation": _invitation,
    REGISTER: _register,
    "notice": _notice,
}
