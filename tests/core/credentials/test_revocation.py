"""All credentials die: whatever ends a person's access ends every one of them at once, in whatever table it lives."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import LargeBinary, text
from sqlalchemy.orm import Session

from core.accounts.accounts import change_role, create_user, deactivate, reactivate
from core.accounts.invitations import accept_invitation, invite, welcome
from core.admin.administration import make_reset_link, send_reset, sign_out_person
from core.base.actor import Actor
from core.base.errors import NotAllowed, NotFound
from core.base.permissions import Role, Scope
from core.credentials.access_tokens import grant_tokens, session_of_access_token
from core.credentials.login_tickets import create_pending_ticket, create_ticket, pending_email, redeem_ticket
from core.credentials.revocation import sign_out_elsewhere
from core.credentials.sessions import actor_of_session
from core.mail.outbox import queue_mail
from core.sign_in.api_tokens import actor_of_token, create_token
from core.sign_in.email_links import address_link, address_of_link, email_of_reset, reset_link, reset_password
from core.sign_in.oidc import complete_sign_in, pending_sign_in, store_claims
from core.sign_in.oidc_identities import add_identity
from core.sign_in.password import change_password
from db.engine import transaction
from db.tables import all_tables
from db.tables.accounts import AccountLink
from tests.conftest import PASSWORD, actor
from tests.support.core.signing_in import HOME, KEY, Post, actions, attempt, refreshed, signed_in

Works = Callable[[], bool]  # Whether a credential still lets anybody in; trying may use it up.
ISSUER, SUBJECT = "https://login.example.com", "s-ann"
pytestmark = pytest.mark.usefixtures("own_settings")
NEW, NEWER = "another good password", "a third good password"


@pytest.fixture
def ann(session: Session) -> Actor:
    """Ann as an administrator, who can let others in, too."""
    session.execute(text("UPDATE users SET role = 'admin' WHERE name = 'Ann'"))
    return replace(actor("Ann"), role=Role.ADMIN)


def opens(look: Callable[[], Any]) -> bool:
    with suppress(NotFound, NotAllowed):
        return bool(look())
    return False


def a_session(session: Session, who: Actor) -> Works:
    session_id, _ = signed_in(session, who)
    return lambda: actor_of_session(session, session_id) is not None


def a_program(session: Session, who: Actor) -> Works:
    pair = grant_tokens(session, who.user_id, key=KEY, address=HOME, user_agent="x")

    def works() -> bool:
        api_session = session_of_access_token(pair.access_token, key=KEY)
        return bool(api_session and actor_of_session(session, api_session))

    return works


def a_refresh_token(session: Session, who: Actor) -> Works:
    pair = grant_tokens(session, who.user_id, key=KEY, address=HOME, user_agent="x")
    return lambda: refreshed(session, pair) is not None


def a_ticket(session: Session, who: Actor) -> Works:
    ticket = create_ticket(session, who.user_id, nonce="n")
    return lambda: redeem_ticket(session, ticket, nonce="n", address=HOME, user_agent="x") is not None


def a_sign_in_that_waits_for_its_code(session: Session, who: Actor) -> Works:
    pending = create_pending_ticket(session, who.user_id, nonce="n")
    return lambda: pending_email(session, pending, nonce="n") is not None


def an_api_token(session: Session, who: Actor) -> Works:
    token = create_token(session, who, name="Report", scope=Scope.READ, days=1)
    return lambda: actor_of_token(session, token, address=None, only_reads=True) is not None


def a_reset_link(session: Session, who: Actor) -> Works:
    link = reset_link(session, who.email) or ""
    return lambda: opens(lambda: email_of_reset(session, link))


def an_address_link(session: Session, who: Actor) -> Works:
    link = address_link(session, who.user_id, who.email) or ""
    return lambda: opens(lambda: address_of_link(session, link))


def an_arrival_from_the_provider(session: Session, who: Actor) -> Works:
    with suppress(Exception), session.begin_nested():
        add_identity(session, who.user_id, ISSUER, SUBJECT)
    token = store_claims(session, {"iss": ISSUER, "sub": SUBJECT, "email": who.email, "email_verified": True}) or ""
    return lambda: opens(lambda: pending_sign_in(session, token))


def an_invitation_by_them(session: Session, who: Actor) -> Works:
    link = invite(session, who, email="backdoor@evil.example", role=Role.ADMIN)
    return lambda: opens(lambda: welcome(session, link))


def a_reset_link_by_them(session: Session, who: Actor) -> Works:
    link = make_reset_link(session, who, actor("Dan").user_id)
    return lambda: opens(lambda: email_of_reset(session, link))


# One of each kind that lets somebody in as a person, or that a person made for others, by the table in which it lives.
CREDENTIALS: dict[str, list[Callable[[Session, Actor], Works]]] = {
    "sessions": [a_session, a_program],
    "refresh_tokens": [a_refresh_token],
    "sign_in_tickets": [a_ticket, a_sign_in_that_waits_for_its_code],
    "api_tokens": [an_api_token],
    "account_links": [a_reset_link, an_address_link, a_reset_link_by_them],
    "invitations": [an_invitation_by_them],
    "provider_arrivals": [an_arrival_from_the_provider],
}
# Tables with a secret or its hash that outlive all this, and why.
EXEMPT = {
    "users": "The password itself: changed by what changes it, and refused to who is deactivated.",
    "second_factors": "Asked besides a password and lets nobody in alone; a lost one is reset by an administrator.",
    "recovery_codes": "The same: they stand in for the second factor, after the right password.",
    "public_links": "A link is nobody's, and as good as its maker's account (tests/core/sharing/test_public_links.py).",
    "audit_chain": "The seal of the audit trail: hashes of what happened, which let nobody in.",
    "audit_head": "The same: its last link.",
    "operations": "A digest of what was asked, by which a repeated request is recognised; it lets nobody in.",
    "known_devices": "It lets nobody in: a browser that signed in before has a count of wrong passwords of its own.",
    "job_files": "The file that somebody imports, until its rows are in; it lets nobody in.",
    "link_visits": "The same: the browser that opened a link, whoever sits there.",
}
ENDS = {
    "a changed password": lambda _session, _ada, ann: change_password(transaction, ann, current=PASSWORD, new=NEW),
    "a forgotten one": lambda session, _ada, ann: reset_password(session, reset_link(session, ann.email) or "", NEWER),
    "another role": lambda session, ada, ann: change_role(session, ada, ann.user_id, role=Role.MANAGER),
    "deactivation": lambda session, ada, ann: deactivate(session, ada, ann.user_id),
    "signed out by an administrator": lambda session, ada, ann: sign_out_person(session, ada, ann.user_id),
}


def everything_of(session: Session, who: Actor) -> dict[str, Works]:
    return {make.__name__: make(session, who) for kinds in CREDENTIALS.values() for make in kinds}


def test_each_credential_lets_its_person_in_to_begin_with(session: Session, ann: Actor) -> None:
    assert [name for name, works in everything_of(session, ann).items() if not works()] == []


@pytest.mark.parametrize("how", ENDS)
def test_all_credentials_die(session: Session, ada: Actor, ann: Actor, ben: Actor, how: str) -> None:
    held = everything_of(session, ann)
    others = a_session(session, ben), an_api_token(session, ben), a_ticket(session, ben)
    ENDS[how](session, ada, ann)
    assert [name for name, works in held.items() if works()] == []
    assert all(works() for works in others)


def test_what_died_stays_dead_when_the_person_is_let_in_again(session: Session, ada: Actor, ann: Actor) -> None:
    held = everything_of(session, ann)
    deactivate(session, ada, ann.user_id)
    reactivate(session, ada, ann.user_id)
    assert [name for name, works in held.items() if works()] == []
    assert attempt(ann.email) == ann.user_id


def test_whoever_was_let_out_leaves_no_back_door(session: Session, ada: Actor, ann: Actor) -> None:
    link = invite(session, ann, email="backdoor@evil.example", role=Role.ADMIN)
    deactivate(session, ada, ann.user_id)
    reactivate(session, ada, ann.user_id)
    with pytest.raises(NotFound):
        accept_invitation(session, link, email="", name="Back Door", password=NEW)
    assert actions(session).count("account:invitation:revoke") == 1
    assert attempt("backdoor@evil.example", NEW) is None


@pytest.mark.parametrize("change", ["is_active = false", "role = 'manager'"])
def test_what_was_made_for_others_counts_while_its_maker_administers(
    session: Session, post: Post, ann: Actor, change: str
) -> None:
    """However they ceased to, as by a hand in the database, and whatever letters wait."""
    given = an_invitation_by_them(session, ann), a_reset_link_by_them(session, ann)
    assert all(works() for works in given)
    invite(session, ann, email="eve@example.com", role=Role.ADMIN, mailed_from="http://here")
    send_reset(session, ann, actor("Ben").user_id, url="http://here")
    session.execute(text(f"UPDATE users SET {change} WHERE name = 'Ann'"))
    assert [works() for works in given] == [False, False]
    assert [letter.link for _, letter in post() if letter.link] == []
    said = {"iss": ISSUER, "sub": "s-eve", "email": "eve@example.com", "email_verified": True}
    with pytest.raises(NotAllowed, match="no account has this address"):
        pending_sign_in(session, store_claims(session, said) or "")
    with pytest.raises(NotAllowed, match="aren't an administrator any more"):
        invite(session, ann, email="zoe@example.com", role=Role.ADMIN)


def test_signing_out_everywhere_else_ends_what_is_elsewhere(session: Session, ann: Actor) -> None:
    held = everything_of(session, ann)
    sign_out_elsewhere(session, ann)
    assert [name for name, works in held.items() if works()] == []


def test_signing_out_everywhere_else_spares_tokens_where_that_is_wished_and_the_one_that_asks(
    session: Session, ann: Actor
) -> None:
    report, other = an_api_token(session, ann), an_api_token(session, ann)
    sign_out_elsewhere(session, ann, tokens=False)
    assert report()
    assert other()
    asking = session.scalar(text("SELECT min(token_id) FROM api_tokens"))
    sign_out_elsewhere(session, replace(ann, token_id=asking))
    assert report()
    assert not other()


def test_a_deactivated_person_is_refused_whatever_way_they_try(session: Session, ada: Actor, ann: Actor) -> None:
    add_identity(session, ann.user_id, ISSUER, SUBJECT)
    deactivate(session, ada, ann.user_id)
    assert attempt(ann.email) is None
    assert reset_link(session, ann.email) is None
    assert address_link(session, ann.user_id, ann.email) is None
    token = store_claims(session, {"iss": ISSUER, "sub": SUBJECT}) or ""
    with pytest.raises(NotAllowed, match="deactivated"):
        complete_sign_in(session, token, grant=lambda *_: True, without_code=lambda *_: True)


def test_a_letter_that_waited_brings_no_way_in_to_who_was_let_out(
    session: Session, post: Post, ada: Actor, ann: Actor
) -> None:
    queue_mail(session, "reset", ann.email, url="http://here")
    queue_mail(session, "address", ann.email, user=ann.user_id, url="http://here")
    deactivate(session, ada, ann.user_id)
    assert [letter.link for _, letter in post() if letter.link] == []


def test_an_invitation_to_an_account_without_a_password_ends_with_it(session: Session, ada: Actor) -> None:
    nora = create_user(session, None, email="nora@example.com", name="Nora", role=Role.MEMBER)
    link = invite(session, ada, email="nora@example.com", role=Role.MEMBER)
    assert welcome(session, link)
    deactivate(session, ada, nora)
    reactivate(session, ada, nora)
    with pytest.raises(NotFound):
        welcome(session, link)


def test_an_invitation_lets_nobody_into_an_account_that_came_to_be_meanwhile(session: Session, ada: Actor) -> None:
    link = invite(session, ada, email="eve@example.com", role=Role.MEMBER)
    token = store_claims(session, {"iss": ISSUER, "sub": "s-eve", "email": "eve@example.com", "email_verified": True})
    complete_sign_in(session, token or "", grant=lambda *_: True, without_code=lambda *_: True)
    with pytest.raises(NotFound):
        welcome(session, link)


def test_every_table_that_keeps_a_secret_is_a_credential_or_says_why_not() -> None:
    """A new one fails here until somebody has thought about what ends it."""
    keeping = {table.name for table in all_tables().tables.values() if any(map(keeps_secret, table.columns))}
    assert AccountLink.__tablename__ in keeping
    assert keeping - CREDENTIALS.keys() - EXEMPT.keys() == set()
    assert (CREDENTIALS.keys() | EXEMPT.keys()) - keeping == set()
    assert CREDENTIALS.keys() & EXEMPT.keys() == set()


def keeps_secret(column: Any) -> bool:
    named = any(word in column.name for word in ("hash", "secret", "token", "password", "nonce", "code"))
    return isinstance(column.type, LargeBinary) or (named and column.name not in NO_SECRETS)


NO_SECRETS = {"token_id", "needs_code"}


def test_no_table_of_the_database_is_missing_from_the_models(session: Session) -> None:
    found = set(session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
    assert found - {"alembic_version"} == {table.name for table in all_tables().tables.values()}
