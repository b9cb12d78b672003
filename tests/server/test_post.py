"""Letters leave a running server: on its console, or by mail, each once however many servers there are."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from core.mail.outbox import queue_mail
from db.engine import transaction
from tests.core.mail.test_outbox import Inbox
from tests.support.server.started import Started, free_port

PATIENCE = 30

pytestmark = pytest.mark.slow


def order(*recipients: str) -> None:
    with transaction() as session:
        for recipient in recipients:
            queue_mail(session, "notice", recipient, what="password")


def until(holds: Callable[[], bool]) -> bool:
    ends = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < ends:
        time.sleep(0.1)
    return holds()


def test_without_a_mail_server_the_letter_stands_on_the_console(database: str, tmp_path: Path) -> None:
    with Started(tmp_path / "data", DATABASE_URL=database) as started:
        order("ann@example.com")
        assert until(lambda: "this e-mail to ann@example.com was not sent" in started.text())
        assert "Your password was changed" in started.text()


def test_two_servers_send_each_letter_once(database: str, tmp_path: Path) -> None:
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    mail = {
        "CONTRIVANCE_SMTP_HOST": "127.0.0.1",
        "CONTRIVANCE_SMTP_PORT": str(controller.port),
        "CONTRIVANCE_SMTP_SECURITY": "none",
        "CONTRIVANCE_SMTP_FROM": "sales@example.com",
        "DATABASE_URL": database,
    }
    names = sorted(f"person{number}@example.com" for number in range(40))
    with Started(tmp_path / "one", **mail), Started(tmp_path / "two", **mail):
        order(*names)
        assert until(lambda: len(inbox.letters) >= len(names))
        time.sleep(3)
    controller.stop()
    assert sorted(str(letter["To"]) for letter in inbox.letters) == names
