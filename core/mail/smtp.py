"""The mail server: its settings, checked at the start, and handing it one letter. Without one, letters are printed."""

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
from core.mail.outbox import Letter, NotDelivered

PORTS = {"starttls": 587, "tls": 465, "none": 25}
PATIENCE_SECONDS = 15
NAME = "CONTRIVANCE_SMTP_"


@dataclass(frozen=True, slots=True)
class Smtp:
    """Where letters go, and as whom. The password stays out of its repr."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)

    def deliver(self, recipient: str, letter: Letter) -> None:
        """Hand one letter to the server. Raises NotDelivered, which says whether trying again can help."""
        message = as_message(letter, sender=self.sender, recipient=recipient)
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
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=PATIENCE_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=PATIENCE_SECONDS)
        if self.security == "starttls":
            server.starttls(context=context)
        if self.user:
            server.login(self.user, self.password)
        return server


@dataclass(frozen=True, slots=True)
class Console:
    """Stands where no mail server is set: whoever runs the server reads the letter there and passes it on."""

    def deliver(self, recipient: str, letter: Letter) -> None:
        """Print the letter, marked as one that was not sent."""
        ruled = "\n".join(f"  | {line}".rstrip() for line in letter.as_text().splitlines())
        head = f"  No mail server is set (CONTRIVANCE_SMTP_HOST): this letter to {recipient} was not sent."
        sys.stdout.write(f"\n{head}\n  | {letter.subject}\n  |\n{ruled}\n\n")
        sys.stdout.flush()


def as_message(letter: Letter, *, sender: str, recipient: str) -> EmailMessage:
    """The letter as plain text and as HTML. The recipient is one checked address; a header holds no line break."""
    message = EmailMessage()
    local, _, domain = clean_email(recipient).rpartition("@")
    message["From"] = sender
    message["To"] = Address(username=local, domain=domain)
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.as_text())
    message.add_alternative(letter.as_html(), subtype="html")
    return message


@lru_cache(maxsize=1)
def post() -> Smtp | Console:
    """Where the letters of this process go."""
    return read_smtp(os.environ) or Console()


def read_smtp(environment: Mapping[str, str]) -> Smtp | None:
    """Read and check the settings; None where no server is named. A bad one is refused with one sentence."""
    host = read_value(environment, f"{NAME}HOST")
    if not host:
        return None
    security = read_value(environment, f"{NAME}SECURITY").lower() or "starttls"
    if security not in PORTS:
        raise InvalidSetting(f"{NAME}SECURITY is “{security}”: choose one of {', '.join(PORTS)}.")
    user = read_value(environment, f"{NAME}USER")
    if security == "none" and user and host not in LOOPBACK:
        raise InvalidSetting(f"{NAME}SECURITY=none would send the mail password to {host} in the clear: use starttls.")
    return Smtp(
        host=host,
        port=_port(read_value(environment, f"{NAME}PORT") or str(PORTS[security])),
        security=security,
        sender=_sender(read_value(environment, f"{NAME}FROM")),
        user=user,
        password=read_value(environment, f"{NAME}PASSWORD"),
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise InvalidSetting(f"{NAME}PORT is “{text}”: give a number from 1 to 65535.")
    return int(text)


def _sender(text: str) -> str:
    """The address that letters come from, with or without a name before it."""
    try:
        clean_email(parseaddr(text)[1])
    except Invalid:
        raise InvalidSetting(f"{NAME}FROM is “{text}”: give an address like Contrivance <sales@example.com>.") from None
    if not text.isprintable():
        raise InvalidSetting(f"{NAME}FROM must be one line.")
    return text
