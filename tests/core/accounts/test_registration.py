"""Who comes in: by an invitation in a letter, or by themselves where an administrator allows it."""

import re

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.invitations import accept_invitation, invite, welcome
from core.accounts.registration import Registration, request_registration, set_registration_policy
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import Role
from tests.support.core.signing_in import HOME, Post, token_in

HERE = "http://here"
NEW = "another good password"


def test_an_invitation_by_mail_has_its_secret_in_the_letter_only(session: Session, post: Post, ada: Actor) -> None:
    told = invite(session, ada, email="eve@example.com", role=Role.MEMBER, mailed_from=HERE)
    [(recipient, letter)] = post()
    assert (recipient, "Ada (ada@example.com)" in letter.as_text()) == ("eve@example.com", True)
    with pytest.raises(NotFound):
        welcome(session, told)
    user = accept_invitation(session, token_in(letter), email="", name="Eve", password=NEW)
    verified = session.scalar(text("SELECT email_verified_at IS NOT NULL FROM users WHERE user_id = :u"), {"u": user})
    assert verified is True


def test_a_link_that_was_passed_on_proves_no_address(session: Session, ada: Actor) -> None:
    token = invite(session, ada, email="eve@example.com", role=Role.MEMBER)
    user = accept_invitation(session, token, email="", name="Eve", password=NEW)
    assert session.scalar(text("SELECT email_verified_at FROM users WHERE user_id = :u"), {"u": user}) is None


def test_a_withdrawn_invitation_is_not_sent(session: Session, post: Post, ada: Actor) -> None:
    invite(session, ada, email="eve@example.com", role=Role.MEMBER, mailed_from=HERE)
    session.execute(text("UPDATE invitations SET revoked_at = now()"))
    assert post() == []


def test_strangers_register_only_where_an_administrator_allows_it(
    session: Session, post: Post, ada: Actor, ann: Actor
) -> None:
    with pytest.raises(NotAllowed, match="by invitation"):
        request_registration(session, "eve@example.com", address=HOME, url=HERE)
    with pytest.raises(NotAllowed):
        set_registration_policy(session, ann, Registration.OPEN)
    set_registration_policy(session, ada, Registration.DOMAINS, domains=(" Example.com", ""))
    with pytest.raises(NotAllowed, match=re.escape("example.com")):
        request_registration(session, "eve@example.org", address=HOME, url=HERE)
    request_registration(session, "Eve@example.com", address=HOME, url=HERE)
    [(recipient, letter)] = post()
    user = accept_invitation(session, token_in(letter), email="x@example.org", name="Eve", password=NEW)
    stored = session.execute(text("SELECT email, role, email_verified_at FROM users WHERE user_id = :u"), {"u": user})
    email, role, verified = stored.one()
    assert (email, recipient, role, verified is not None) == ("eve@example.com", "eve@example.com", "member", True)


def test_who_has_an_account_is_told_so_by_letter_alone(session: Session, post: Post, ada: Actor) -> None:
    set_registration_policy(session, ada, Registration.OPEN)
    request_registration(session, "ann@example.com", address=HOME, url=HERE)
    [(recipient, letter)] = post()
    assert (recipient, letter.subject, letter.link) == ("ann@example.com", "You have an account", HERE)


def test_a_door_that_closes_closes_for_links_that_are_out_already(session: Session, post: Post, ada: Actor) -> None:
    set_registration_policy(session, ada, Registration.OPEN)
    request_registration(session, "eve@example.com", address=HOME, url=HERE)
    token = token_in(post()[0][1])
    set_registration_policy(session, ada, Registration.INVITED)
    with pytest.raises(NotFound):
        accept_invitation(session, token, email="", name="Eve", password=NEW)


@pytest.mark.parametrize("domain", ["example", "-a.com", "a b.com", "*.com", "exa mple.com", "", "x" * 300 + ".com"])
def test_what_is_no_domain_is_refused(session: Session, ada: Actor, domain: str) -> None:
    with pytest.raises(Invalid):
        set_registration_policy(session, ada, Registration.DOMAINS, domains=(domain,))
