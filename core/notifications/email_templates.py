"""The e-mail templates. An e-mail is rendered when it is sent, so that the secret of its link is never stored."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from core.accounts.invitations import invitation_url, mailed_token, registration_token
from core.accounts.registration import REGISTER, registration_policy
from core.mail.outbox import MailMessage, QueuedMail
from core.sign_in.email_links import ADDRESS, RESET, address_link, reset_link

MAX_RESET_AGE = timedelta(hours=1)  # A user who still needs a new password has asked again by then.
_NOTIFICATIONS = {
    "password": ("Your password was changed", "The password of your account was changed at {when}."),
    "address": ("Your address was changed", "The address of your account was changed to {email} at {when}."),
    "second factor on": ("Two-factor sign-in is on", "Two-factor sign-in was switched on for you at {when}."),
    "second factor off": ("Two-factor sign-in is off", "Two-factor sign-in was switched off for you at {when}."),
    "second factor reset": (
        "Two-factor sign-in is off",
        "An administrator removed the second factor of your account at {when}. Set up a new one on your profile.",
    ),
    "recovery codes": (
        "New recovery codes",
        "Your recovery codes were replaced at {when}. The old ones no longer work.",
    ),
    "provider": ("A new way to sign in", "An account at {label} was linked at {when}. You can sign in with it."),
    "token": ("A new API token", "An API token “{name}” was created for your account at {when}."),
}
NOT_YOU = "If this wasn't you, request a new password on the sign-in page at once and tell an administrator."


def render_mail(session: Session, mail: QueuedMail) -> MailMessage | None:
    """Return the content of a queued e-mail, None if it is not needed any more."""
    return _TEMPLATES[mail.kind](session, mail)


def _reset(session: Session, mail: QueuedMail) -> MailMessage | None:
    is_late = datetime.now(UTC) - mail.created_at > MAX_RESET_AGE
    token = None if is_late else reset_link(session, mail.recipient, made_by=mail.facts.get("by"))
    if token is None:
        return None
    return MailMessage(
        "Choose a new password",
        ("Someone, probably you, requested a new password for your Contrivance account.",),
        f"{mail.facts['url']}/?reset={token}",
        "Choose a new password",
        ("The link works once, for thirty minutes. If it wasn't you, you can ignore this e-mail.",),
    )


def _address(session: Session, mail: QueuedMail) -> MailMessage | None:
    token = address_link(session, mail.facts["user"], mail.recipient)
    if token is None:
        return None
    return MailMessage(
        "Confirm your address",
        ("Please confirm that this is the e-mail address of your Contrivance account.",),
        f"{mail.facts['url']}/?confirm={token}",
        "Confirm this address",
        ("The link works once, for a day. If it wasn't you, you can ignore this e-mail.",),
    )


def _invitation(session: Session, mail: QueuedMail) -> MailMessage | None:
    token = mailed_token(session, mail.recipient)
    if token is None:
        return None
    return MailMessage(
        "You're invited to Contrivance",
        (f"{mail.facts['by']} invites you to the sales pipeline of your team.",),
        invitation_url(mail.facts["url"], token),
        "Create your account",
        ("The link works once, for seven days.",),
    )


def _register(session: Session, mail: QueuedMail) -> MailMessage | None:
    token = registration_token(session, mail.recipient)
    if token is None and not registration_policy(session).admits(mail.recipient):
        return None
    if token is None:
        line = "Someone, probably you, tried to create a Contrivance account with this address, which already has one."
        return MailMessage("You have an account", (line,), mail.facts["url"], "Sign in")
    return MailMessage(
        "Create your account",
        ("Someone, probably you, wants to create a Contrivance account with this address.",),
        invitation_url(mail.facts["url"], token),
        "Create my account",
        ("The link works once, for seven days. If it wasn't you, you can ignore this e-mail.",),
    )


def _notification(_session: Session, mail: QueuedMail) -> MailMessage:
    subject, sentence = _NOTIFICATIONS[mail.facts["what"]]
    when = f"{mail.created_at:%Y-%m-%d %H:%M} UTC"
    facts = {name: str(value) for name, value in mail.facts.items() if name != "what"}
    return MailMessage(subject, (sentence.format(when=when, **facts),), after=(NOT_YOU,))


_TEMPLATES: dict[str, Callable[[Session, QueuedMail], MailMessage | None]] = {
    RESET: _reset,
    ADDRESS: _address,
    "invitation": _invitation,
    REGISTER: _register,
    "notice": _notification,
}
