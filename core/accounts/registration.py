"""Registration: whether strangers may make themselves an account, and by which addresses; by invitation at first."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.accounts import require
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed
from core.base.permissions import Permission
from core.base.text import clean_email
from core.limits.login_throttle import normalize_address, record_attempt
from core.mail.outbox import queue_mail

REGISTER = "register"
CLOSED = "An account here is made by invitation. Ask an administrator for one."
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_NAME = "registration"


class Registration(StrEnum):
    """Who may make themselves an account."""

    INVITED = "invited"
    DOMAINS = "domains"
    OPEN = "open"


@dataclass(frozen=True)
class Policy:
    """The rule, and the domains that it speaks of."""

    who: Registration = Registration.INVITED
    domains: tuple[str, ...] = ()

    def admits(self, email: str) -> bool:
        """Whether somebody with this address may make themselves an account."""
        if self.who is Registration.DOMAINS:
            return email.rpartition("@")[2] in self.domains
        return self.who is Registration.OPEN


def registration_policy(session: Session) -> Policy:
    """The rule that holds now."""
    found = session.scalar(_READ, {"name": _NAME})
    return Policy(Registration(found["who"]), tuple(found["domains"])) if found else Policy()


def set_registration_policy(
    session: Session, actor: Actor, who: Registration, *, domains: tuple[str, ...] = ()
) -> None:
    """Say who may register. For administrators."""
    require(actor, Permission.PEOPLE_MANAGE)
    cleaned = [domain.strip().lower().lstrip("@") for domain in domains if domain.strip()]
    wrong = next((domain for domain in cleaned if not _DOMAIN.fullmatch(domain)), None)
    if wrong is not None:
        raise Invalid(f"“{wrong}” is no domain. Write it like example.com.")
    if who is Registration.DOMAINS and not cleaned:
        raise Invalid("Name at least one domain, such as example.com.")
    value = {"who": who.value, "domains": list(dict.fromkeys(cleaned))}
    session.execute(_WRITE, {"name": _NAME, "value": json.dumps(value)})
    audit.record(session, actor, "account:registration:change", rule=value)


def ask_to_register(session: Session, email: str, *, address: str | None, url: str) -> None:
    """Have a link sent by which a stranger makes their account. Whether there is one already is only told by letter."""
    account = clean_email(email)
    if refusal := refusal_of_stranger(session, account):
        raise NotAllowed(refusal)
    where = normalize_address(address)
    if record_attempt(session, f"register {account}", where) is not None:
        queue_mail(session, REGISTER, account, url=url)
        audit.record(session, None, "account:registration:ask", address=where, email=account)


def refusal_of_stranger(session: Session, email: str) -> str | None:
    """Why somebody with this address may not make themselves an account, in a sentence; None where they may."""
    policy = registration_policy(session)
    if policy.admits(email):
        return None
    if policy.who is Registration.INVITED:
        return CLOSED
    return f"Only addresses of {', '.join(policy.domains)} may register. {CLOSED}"


_READ = text("SELECT value FROM workspace_settings WHERE name = :name")
_WRITE = text("""
    INSERT INTO workspace_settings (name, value) VALUES (:name, CAST(:value AS jsonb))
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = now()
""")
