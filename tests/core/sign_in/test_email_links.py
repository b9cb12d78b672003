"""A forgotten password and a new address: links that work once, and answers that tell nobody anything."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.accounts import deactivate
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound, Refused, Throttled
from core.sign_in.email_links import (
    address_of_link,
    confirm_address,
    email_of_reset,
    is_verified,
    request_address_change,
    request_password_reset,
    request_verification,
    reset_link,
    reset_password,
)
from db.engine import transaction
from tests.conftest import PASSWORD
from tests.support.core.signing_in import HOME, Post, actions, attempt, token_in

HERE = "http://here"
NEW = "another good password"


def reset_token(session: Session, post: Post, email: str = "ann@example.com") -> str:
    request_password_reset(session, email, address=HOME, url=HERE)
    return token_in(post()[-1][1])


# --- a forgotten password


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(session: Session, post: Post) -> None:
    token = reset_token(session, post, " Ann@Example.com ")
    assert email_of_reset(session, token) == "ann@example.com"
    reset_password(session, token, NEW)
    assert attempt("ann@example.com", NEW)
    assert attempt("ann@example.com", PASSWORD) is None
    for use in (lambda: email_of_reset(session, token), lambda: reset_password(session, token, NEW)):
        with pytest.raises(NotFound, match="Request a new one"):
            use()
    assert [letter.subject for _, letter in post()] == ["Your password was changed"]


def test_whoever_failed_often_signs_in_at_once_with_the_new_password(session: Session, post: Post) -> None:
    for _ in range(6):
        assert attempt("ann@example.com", "wrong password") is None
    reset_password(session, reset_token(session, post), NEW)
    assert attempt("ann@example.com", NEW)


def test_asking_looks_nothing_up_so_that_neither_answer_nor_time_tells_anything(session: Session, post: Post) -> None:
    def queries_of(email: str) -> list[str]:
        seen: list[str] = []
        from sqlalchemy import event

        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if "SAVEPOINT" not in statement:
                seen.append(statement)

        event.listen(session.get_bind(), "before_cursor_execute", note)
        request_password_reset(session, email, address=HOME, url=HERE)
        event.remove(session.get_bind(), "before_cursor_execute", note)
        return seen

    assert queries_of("ann@example.com") == queries_of("nobody@example.com")
    assert [recipient for recipient, _ in post()] == ["ann@example.com"]


def test_who_cannot_sign_in_gets_no_link(session: Session, post: Post, ada: Actor, ben: Actor) -> None:
    deactivate(session, ada, ben.user_id)
    session.execute(text("UPDATE users SET password_hash = NULL WHERE name = 'Cleo'"))
    for email in ("ben@example.com", "cleo@example.com", "nobody@example.com"):
        request_password_reset(session, email, address=HOME, url=HERE)
    assert post() == []


def test_a_link_in_two_hands_works_in_one(database: str) -> None:
    with transaction() as session:
        token = reset_link(session, "ann@example.com")
    assert token

    def use(number: int) -> bool:
        try:
            with transaction() as session:
                reset_password(session, token, f"{NEW} {number}")
        except NotFound:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(use, range(8))) == 1


def test_a_newer_link_ends_the_one_before(session: Session, post: Post) -> None:
    lost, found = reset_token(session, post), reset_token(session, post)
    with pytest.raises(NotFound):
        email_of_reset(session, lost)
    assert email_of_reset(session, found) == "ann@example.com"


def test_a_late_foreign_or_guessed_link_is_worth_nothing(session: Session, post: Post, ann: Actor) -> None:
    request_verification(session, ann, url=HERE)
    other = token_in(post()[0][1])
    late = reset_token(session, post)
    session.execute(text("UPDATE account_links SET expires_at = now() WHERE kind = 'reset'"))
    for token in (late, other, "", "x" * 43, "\x00"):
        with pytest.raises(NotFound, match="used or has expired"):
            reset_password(session, token, NEW)


def test_a_refused_password_leaves_the_link_usable(session: Session, post: Post) -> None:
    token = reset_token(session, post)
    with pytest.raises(Invalid):
        reset_password(session, token, "short")
    reset_password(session, token, NEW)


def test_a_link_lives_thirty_minutes_and_is_stored_as_a_hash(session: Session, post: Post) -> None:
    token = reset_token(session, post)
    lives = session.scalar(text("SELECT extract(epoch FROM expires_at - created_at) / 60 FROM account_links"))
    assert lives == 30
    for table in ("account_links", "mails", "audit_events"):
        assert token not in str(session.execute(text(f"SELECT * FROM {table}")).all())


def test_nobodys_letter_box_is_flooded(session: Session, post: Post) -> None:
    for _ in range(20):
        request_password_reset(session, "ann@example.com", address=HOME, url=HERE)
    assert len(post()) <= 5


def test_a_letter_that_waited_for_hours_is_not_sent_any_more(session: Session, post: Post) -> None:
    request_password_reset(session, "ann@example.com", address=HOME, url=HERE)
    session.execute(text("UPDATE mails SET created_at = now() - interval '2 hours'"))
    assert post() == []


@pytest.mark.parametrize("email", ["", "ann", "ann@example.com\nBcc: all@example.com", "a@b\x00"])
def test_what_is_no_address_is_refused(session: Session, email: str) -> None:
    with pytest.raises(Invalid):
        request_password_reset(session, email, address=HOME, url=HERE)


# --- a new address


def ask(actor: Actor, email: str, password: str = PASSWORD) -> None:
    request_address_change(transaction, actor, email, password=password, url=HERE)


def test_a_new_address_counts_once_its_link_is_opened(session: Session, post: Post, ann: Actor) -> None:
    ask(ann, "Ann.Smith@example.com")
    assert attempt("ann.smith@example.com") is None
    [(recipient, letter)] = post()
    assert recipient == "ann.smith@example.com"
    assert address_of_link(session, token_in(letter)) == recipient
    assert confirm_address(session, token_in(letter)) == recipient
    assert attempt("ann.smith@example.com") == ann.user_id
    assert is_verified(session, ann)
    [(told, notice)] = post()
    assert (told, notice.subject) == ("ann@example.com", "Your address was changed")
    assert "ann.smith@example.com" in notice.as_text()
    assert actions(session)[-1] == "account:email:change"


def test_a_new_address_asks_for_the_password_and_counts_failures(session: Session, post: Post, ann: Actor) -> None:
    for _ in range(5):
        with pytest.raises(Invalid, match="current password"):
            ask(ann, "eve@example.com", "wrong password")
    with pytest.raises(Refused):
        ask(ann, "eve@example.com", PASSWORD)
    assert post() == []


def test_an_address_that_somebody_has_gets_no_letter_and_cannot_be_taken(
    session: Session, post: Post, ann: Actor, ben: Actor
) -> None:
    ask(ann, "ben@example.com")
    assert post() == []
    ask(ann, "free@example.com")
    token = token_in(post()[0][1])
    session.execute(text("UPDATE users SET email = 'free@example.com' WHERE name = 'Ben'"))
    with pytest.raises(Invalid, match="Another account"):
        confirm_address(session, token)


def test_the_address_that_one_has_is_verified_by_a_link(session: Session, post: Post, ann: Actor) -> None:
    assert not is_verified(session, ann)
    request_verification(session, ann, url=HERE)
    confirm_address(session, token_in(post()[0][1]))
    assert is_verified(session, ann)
    assert post() == []


def test_emails_cannot_be_asked_for_without_end(session: Session, ann: Actor) -> None:
    for _ in range(5):
        request_verification(session, ann, url=HERE)
    with pytest.raises(Throttled):
        request_verification(session, ann, url=HERE)
