"""What the tests of core share: a count of password checks, sent mail, and settings of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config.settings import settings
from core.credentials import passwords
from core.mail.outbox import MailMessage, send_due_mail
from core.notifications.email_templates import render_mail
from db.engine import transaction
from tests.support.core.signing_in import Post


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """Counts what reaches bcrypt."""
    seen: list[bytes] = []
    really = passwords.bcrypt.checkpw

    def count(password: bytes, stored: bytes) -> bool:
        seen.append(password)
        return bool(really(password, stored))

    monkeypatch.setattr(passwords.bcrypt, "checkpw", count)
    return seen


@pytest.fixture
def post() -> Post:
    """Send what waits: whom it reached, and what it said."""

    class Box:
        def __init__(self) -> None:
            self.letters: list[tuple[str, MailMessage]] = []

        def deliver(self, recipient: str, letter: MailMessage) -> None:
            self.letters.append((recipient, letter))

    def send() -> list[tuple[str, MailMessage]]:
        box = Box()
        send_due_mail(transaction, render_mail, box)
        return box.letters

    return send


@pytest.fixture
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings with a data folder of the test's own."""
    monkeypatch.setenv("CONTRIVANCE_DATA", str(tmp_path / "data"))
    settings.cache_clear()
    yield
    settings.cache_clear()
