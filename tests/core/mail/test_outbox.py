"""Letters: sent after the commit, each once, by a real mail server; none is lost while there is no server."""

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from sqlalchemy import text

from core.base.errors import Invalid
from core.config.settings import InvalidSetting
from core.mail.outbox import MAX_ATTEMPTS, MailMessage, NotDelivered, QueuedMail, queue_mail, send_due_mail
from core.mail.smtp import ConsoleTransport, SmtpTransport, as_message, read_smtp
from db.engine import transaction
from tests.support.server.started import free_port

LETTER = MailMessage("Hello", ("A first line.",), "http://here/?reset=SECRET", "Choose", ("A last line.",))
SENDER = "Contrivance <sales@example.com>"


class Inbox:
    """What the mail server took; `refusal` is what it says instead."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.refusal: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refusal:
            return self.refusal[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the same
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.letters.append(message)
        return "250 OK"


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def mail_server(inbox: Inbox) -> Iterator[Controller]:
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    if controller.server is not None:
        controller.stop()


def at(controller: Controller, **more: str) -> SmtpTransport:
    return SmtpTransport("127.0.0.1", controller.port, more.pop("security", "none"), SENDER, **more)


def always(_session: Any, _order: QueuedMail) -> MailMessage:
    return LETTER


def order(*recipients: str) -> None:
    with transaction() as session:
        for recipient in recipients:
            queue_mail(session, "notice", recipient, what="password")


def outcomes() -> list[str | None]:
    with transaction() as session:
        return list(session.scalars(text("SELECT outcome FROM mails ORDER BY mail_id")))


def due_again() -> None:
    with transaction() as session:
        session.execute(text("UPDATE mails SET next_try_at = now()"))


def test_a_letter_arrives_as_plain_text_and_as_html(mail_server: Controller, inbox: Inbox) -> None:
    at(mail_server).deliver("ann@example.com", LETTER)
    letter = inbox.letters[0]
    assert (letter["From"], letter["To"], letter["Subject"]) == (SENDER, "ann@example.com", "Hello")
    plain, html = (letter.get_body((kind,)) for kind in ("plain", "html"))
    assert plain
    assert html
    assert "Choose:\r\nhttp://here/?reset=SECRET" in plain.get_content()
    assert '<a href="http://here/?reset=SECRET">Choose</a>' in html.get_content()


def test_other_peoples_text_is_text_in_a_letter() -> None:
    html = MailMessage("x", ("<img src=//evil> & <b>bold</b>",)).as_html()
    assert "&lt;img src=//evil&gt; &amp; &lt;b&gt;bold" in html


@pytest.mark.parametrize(
    "recipient", ["ann@example.com\nBcc: all@example.com", "ann@example.com, ben@example.com", "ann", "", "<a@b>"]
)
def test_what_is_not_one_address_gets_no_letter(recipient: str) -> None:
    with pytest.raises(Invalid):
        as_message(LETTER, sender=SENDER, recipient=recipient)


def test_a_subject_with_line_breaks_is_one_line() -> None:
    message = as_message(MailMessage("Hi\r\nBcc: all@example.com", ("x",)), sender=SENDER, recipient="ann@example.com")
    assert message["Subject"] == "Hi Bcc: all@example.com"
    assert message["Bcc"] is None


def test_a_letter_is_sent_after_the_commit_and_only_then(database: str, mail_server: Controller, inbox: Inbox) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as session:
        queue_mail(session, "notice", "ann@example.com", what="password")
        raise ZeroDivisionError
    assert send_due_mail(transaction, always, at(mail_server)) == 0
    order("ann@example.com")
    assert send_due_mail(transaction, always, at(mail_server)) == 1
    assert send_due_mail(transaction, always, at(mail_server)) == 0
    assert (len(inbox.letters), outcomes()) == (1, ["sent"])


def test_two_processes_send_each_letter_once(database: str, mail_server: Controller, inbox: Inbox) -> None:
    names = [f"person{number}@example.com" for number in range(20)]
    order(*names)
    with ThreadPoolExecutor(4) as pool:
        taken = pool.map(lambda _: send_due_mail(transaction, always, at(mail_server)), range(4))
    assert sum(taken) == 20
    assert sorted(str(letter["To"]) for letter in inbox.letters) == sorted(names)


def test_nothing_is_lost_while_the_mail_server_is_down(database: str, mail_server: Controller, inbox: Inbox) -> None:
    order("ann@example.com", "ben@example.com")
    mail_server.stop()
    assert send_due_mail(transaction, always, at(mail_server)) == 2
    assert outcomes() == [None, None]
    assert send_due_mail(transaction, always, at(mail_server)) == 0
    back = Controller(inbox, hostname="127.0.0.1", port=mail_server.port)
    back.start()
    due_again()
    send_due_mail(transaction, always, at(mail_server))
    back.stop()
    assert (len(inbox.letters), outcomes()) == (2, ["sent", "sent"])


def test_attempts_are_put_off_longer_each_time_and_end(database: str, mail_server: Controller) -> None:
    order("ann@example.com")
    mail_server.stop()
    waits = []
    for _ in range(3):
        due_again()
        send_due_mail(transaction, always, at(mail_server))
        with transaction() as session:
            waits.append(session.scalar(text("SELECT round(extract(epoch FROM next_try_at - now())) FROM mails")))
    assert waits == [30, 60, 120]
    with transaction() as session:
        session.execute(text("UPDATE mails SET attempts = :most, next_try_at = now()"), {"most": MAX_ATTEMPTS - 1})
    send_due_mail(transaction, always, at(mail_server))
    assert str(outcomes()[0]).startswith("given up")


def test_an_address_that_the_server_refuses_for_good_is_given_up(
    database: str, mail_server: Controller, inbox: Inbox
) -> None:
    inbox.refusal = {"gone@example.com": "550 no such person", "full@example.com": "452 mailbox full"}
    order("gone@example.com", "full@example.com", "ann@example.com")
    assert send_due_mail(transaction, always, at(mail_server)) == 3
    assert outcomes() == ["given up: the address was refused with 550", None, "sent"]


def test_a_letter_that_cannot_be_written_holds_up_no_other(
    database: str, mail_server: Controller, inbox: Inbox
) -> None:
    order("ann@example.com")
    with pytest.raises(ZeroDivisionError):
        send_due_mail(transaction, lambda *_: 1 / 0, at(mail_server))  # type: ignore[arg-type, return-value]
    order("ben@example.com")
    send_due_mail(transaction, always, at(mail_server))
    assert [str(letter["To"]) for letter in inbox.letters] == ["ben@example.com"]


def test_a_letter_that_is_not_needed_is_struck_off(database: str) -> None:
    order("ann@example.com")
    assert send_due_mail(transaction, lambda *_: None, ConsoleTransport()) == 1
    assert outcomes() == ["not needed"]


def test_without_a_mail_server_the_console_shows_the_letter_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleTransport().deliver("ann@example.com", LETTER)
    said = capsys.readouterr().out
    assert "No mail server is set (CONTRIVANCE_SMTP_HOST): this e-mail to ann@example.com was not sent." in said
    assert "http://here/?reset=SECRET" in said


# --- encryption and signing in


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file, by an authority that is itself."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.com")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = made.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    path = tmp_path / "mail.pem"
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + secret)
    return path


class Trusting(Controller):
    """aiosmtpd tries a new server out, and would not trust its certificate."""

    def _trigger_server(self) -> None:
        context = ssl._create_unverified_context()
        line = socket.create_connection((self.hostname, self.port), timeout=5)
        with context.wrap_socket(line) if self.ssl_context else line as greeted:
            greeted.recv(1000)


@pytest.fixture(params=["starttls", "tls"])
def guarded(request: pytest.FixtureRequest, inbox: Inbox, certificate: Path) -> Iterator[tuple[str, Controller]]:
    """A mail server that wants encryption and a password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        return AuthResult(success=(given.login, given.password) == (b"robot", b"mail secret"), handled=False)

    options: dict[str, Any] = {"authenticator": check, "auth_required": True, "hostname": "127.0.0.1"}
    if request.param == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    else:
        options |= {"ssl_context": context, "auth_require_tls": False}
    controller = Trusting(inbox, port=free_port(), **options)
    controller.start()
    yield request.param, controller
    controller.stop()


def test_emails_go_encrypted_and_signed_in(
    guarded: tuple[str, Controller], inbox: Inbox, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    security, controller = guarded
    at(controller, security=security, user="robot", password="mail secret").deliver("ann@example.com", LETTER)
    assert len(inbox.letters) == 1
    with pytest.raises(NotDelivered, match="535"):
        at(controller, security=security, user="robot", password="wrong").deliver("ann@example.com", LETTER)


def test_a_server_that_cannot_prove_who_it_is_gets_nothing(guarded: tuple[str, Controller], inbox: Inbox) -> None:
    security, controller = guarded
    with pytest.raises(NotDelivered, match="SSLCertVerificationError"):
        at(controller, security=security, user="robot", password="mail secret").deliver("ann@example.com", LETTER)
    assert inbox.letters == []


# --- settings

GOOD = {"CONTRIVANCE_SMTP_HOST": "mail.example.com", "CONTRIVANCE_SMTP_FROM": SENDER}


def test_the_port_follows_the_kind_of_encryption(tmp_path: Path) -> None:
    assert read_smtp({}) is None
    found = read_smtp(GOOD)
    assert found
    assert (found.port, found.security) == (587, "starttls")
    secret = tmp_path / "password"
    secret.write_text("mail secret\n")
    more = {"CONTRIVANCE_SMTP_SECURITY": "tls", "CONTRIVANCE_SMTP_PASSWORD_FILE": str(secret)}
    found = read_smtp(GOOD | more)
    assert found
    assert (found.port, found.password) == (465, "mail secret")
    assert "mail secret" not in repr(found)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"CONTRIVANCE_SMTP_FROM": ""}, "it must be like"),
        ({"CONTRIVANCE_SMTP_FROM": "Sales"}, "it must be like"),
        ({"CONTRIVANCE_SMTP_SECURITY": "ssl"}, "choose one of"),
        ({"CONTRIVANCE_SMTP_PORT": "0"}, "1 to 65535"),
        ({"CONTRIVANCE_SMTP_SECURITY": "none", "CONTRIVANCE_SMTP_USER": "robot"}, "in the clear"),
    ],
)
def test_a_bad_mail_setting_is_refused_with_its_name(wrong: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidSetting, match=reason):
        read_smtp(GOOD | wrong)
