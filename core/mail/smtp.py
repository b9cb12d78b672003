"""SMTP: the settings of the mail server, and delivery. Without a mail server, e-mails are printed to the console."""

import os
import smtplib
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid, parseaddr
from functools import lru_cache

from core.base.errors import Invalid
from core.base.text import clean_email
from core.config.settings import LOOPBACK, InvalidSetting, read_value
from core.mail.outbox import MailMessage, NotDelivered

PORTS = {"starttls": 587, "tls": 465, "none": 25}
TIMEOUT_SECONDS = 15
PREFIX = "CONTRIVANCE_SMTP_"


@dataclass(frozen=True, slots=True)
class SmtpTransport:
    """Delivers to a mail server. The password is not part of its repr."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)

    def deliver(self, recipient: str, content: MailMessage) -> None:
        """Send one e-mail. Raises NotDelivered, which says whether trying again can help."""
        message = as_message(content, sender=self.sender, recipient=recipient)
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise NotDelivered(f"the address was refused with {code}", final=code >= 500) from error
        except smtplib.SMTPNotSupportedError as error:
            raise NotDelivered("the server does not do what this needs", final=True) from error
        except smtplib.SMTPResponseException as error:
            raise NotDelivered(f"the server answered {error.smtp_code}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotDelivered(type(error).__name__) from error

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        if self.security == "starttls":
            server.starttls(context=context)
        if self.user:
            server.login(self.user, self.password)
        return server


@dataclass(frozen=True, slots=True)
class ConsoleTransport:
    """Prints e-mails where no mail server is set, for the operator to pass on."""

    def deliver(self, recipient: str, content: MailMessage) -> None:
        """Print the e-mail, marked as not sent."""
        body = "\n".join(f"  | {line}".rstrip() for line in content.as_text().splitlines())
        head = f"  No mail server is set (CONTRIVANCE_SMTP_HOST): this e-mail to {recipient} was not sent."
        sys.stdout.write(f"\n{head}\n  | {content.subject}\n  |\n{body}\n\n")
        sys.stdout.flush()


def as_message(content: MailMessage, *, sender: str, recipient: str) -> EmailMessage:
    """Return the e-mail as plain text and HTML. The address is checked, and headers have no line ends."""
    message = EmailMessage()
    local, _, domain = clean_email(recipient).rpartition("@")
    message["From"] = sender
    message["To"] = Address(username=local, domain=domain)
    message["Subject"] = " ".join(content.subject.split())
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(content.as_text())
    message.add_alternative(content.as_html(), subtype="html")
    return message


@lru_cache(maxsize=1)
def mail_transport() -> SmtpTransport | ConsoleTransport:
    """Return the transport of this process."""
    return read_smtp(os.environ) or ConsoleTransport()


def read_smtp(environment: Mapping[str, str]) -> SmtpTransport | None:
    """Read the settings; return None if no server is set. Raises InvalidSetting."""
    host = read_value(environment, f"{PREFIX}HOST")
    if not host:
        return None
    security = read_value(environment, f"{PREFIX}SECURITY").lower() or "starttls"
    if security not in PORTS:
        raise InvalidSetting(f"{PREFIX}SECURITY is “{security}”: choose one of {', '.join(PORTS)}.")
    user = read_value(environment, f"{PREFIX}USER")
    if security == "none" and user and host not in LOOPBACK:
        raise InvalidSetting(f"{PREFIX}SECURITY=none would send the password to {host} in the clear: use starttls.")
    return SmtpTransport(
        host=host,
        port=_port(read_value(environment, f"{PREFIX}PORT") or str(PORTS[security])),
        security=security,
        sender=_sender(read_value(environment, f"{PREFIX}FROM")),
        user=user,
        password=read_value(environment, f"{PREFIX}PASSWORD"),
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise InvalidSetting(f"{PREFIX}PORT is “{text}”: it must be a number from 1 to 65535.")
    return int(text)


def _sender(text: str) -> str:
    """Return the sender, an address with or without a name. Raises InvalidSetting."""
    try:
        clean_email(parseaddr(text)[1])
    except Invalid:
        raise InvalidSetting(f"{PREFIX}FROM is “{text}”: it must be like Contrivance <sales@example.com>.") from None
    if not text.isprintable():
        raise InvalidSetting(f"{PREFIX}FROM must be one line.")
    return text
