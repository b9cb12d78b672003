"""The registration policy: whether people can create accounts without an invitation, and with which addresses."""

import re
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from core.base import audit
from core.base.actor import Actor, require
from core.base.errors import Invalid, NotAllowed
from core.base.permissions import Permission
from core.base.text import clean_email
from core.limits.login_throttle import normalize_address, record_attempt
from core.mail.outbox import queue_mail
from core.workspace.stored import store_setting, stored_settings

REGISTER = "register"
CLOSED = "Accounts are created by invitation. Ask an administrator for one."
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_NAME = "registration"


class Registration(StrEnum):
    """Who may register."""

    INVITED = "invited"
    DOMAINS = "domains"
    OPEN = "open"


@dataclass(frozen=True)
class Policy:
    """The policy, and the domains for Registration.DOMAINS."""

    who: Registration = Registration.INVITED
    domains: tuple[str, ...] = ()

    def admits(self, email: str) -> bool:
        """Return whether this address may register."""
        if self.who is Registration.DOMAINS:
            return email.rpartition("@")[2] in self.domains
        return self.who is Registration.OPEN


def registration_policy(session: Session) -> Policy:
    """Return the current policy."""
    stored = stored_settings(session, [_NAME]).get(_NAME)
    return Policy(Registration(stored["who"]), tuple(stored["domains"])) if stored else Policy()


def set_registration_policy(
    session: Session, actor: Actor, registration: Registration, *, domains: tuple[str, ...] = ()
) -> None:
    """Set who may register. For administrators. Raises Invalid."""
    require(actor, Permission.PEOPLE_MANAGE)
    cleaned = [domain.strip().lower().lstrip("@") for domain in domains if domain.strip()]
    invalid = next((domain for domain in cleaned if not _DOMAIN.fullmatch(domain)), None)
    if invalid is not None:
        raise Invalid(f"“{invalid}” isn't a valid domain. Write it like example.com.")
    if registration is Registration.DOMAINS and not cleaned:
        raise Invalid("Enter at least one domain, such as example.com.")
    value = {"who": registration.value, "domains": list(dict.fromkeys(cleaned))}
    store_setting(session, _NAME, value)
    audit.record(session, actor, "account:registration:change", rule=value)


def request_registration(session: Session, email: str, *, address: str | None, url: str) -> None:
    """Send a registration link. Only the e-mail says if the account already exists. Raises NotAllowed."""
    account = clean_email(email)
    if refusal := registration_refusal(session, account):
        raise NotAllowed(refusal)
    ip_address = normalize_address(address)
    if record_attempt(session, f"register {account}", ip_address) is not None:
        queue_mail(session, REGISTER, account, url=url)
        audit.record(session, None, "account:registration:ask", address=ip_address, email=account)


def registration_refusal(session: Session, email: str) -> str | None:
    """Return the message why this address may not register; None if it may."""
    policy = registration_policy(session)
    if policy.admits(email):
        return None
    if policy.who is Registration.INVITED:
        return CLOSED
    return f"Only addresses of {', '.join(policy.domains)} may register. {CLOSED}"
