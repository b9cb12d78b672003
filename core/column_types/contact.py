"""Links, e-mail addresses and phone numbers: texts that lead somewhere, so only those that lead where they say."""

import re
from collections.abc import Callable
from typing import ClassVar, NoReturn
from urllib.parse import urlsplit

from core.base.errors import Invalid
from core.base.text import one_line, quoted
from core.column_types.base import ColumnLike, References
from core.column_types.text import TextLike

_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{1,62}")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{1,62}(?::\d{1,5})?(?:[/?#].*)?")
# What no address on the web holds unescaped; a backslash is read as a slash by browsers.
_FOREIGN = re.compile(r"[\s<>\"\\^`{|}]")
_PHONE = re.compile(r"\+?[0-9(][0-9 ()./\-]*[0-9)](?: ?(?:x|ext\.?|#) ?[0-9]{1,6})?", re.IGNORECASE)
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"))


class Link(TextLike):
    """A web address (http, https) or a mailto: address."""

    name, label, icon, editor = "link", "Link", "link", "link"
    scheme = "https"
    longest: ClassVar[int] = 2_000

    def reader(self, column: ColumnLike, references: References, current: str | None = None) -> Callable[[str], str]:
        return _link


class Email(TextLike):
    """An e-mail address, kept as it was typed."""

    name, label, icon = "email", "E-mail", "mail"
    scheme = "mailto"
    longest: ClassVar[int] = 254

    def reader(self, column: ColumnLike, references: References, current: str | None = None) -> Callable[[str], str]:
        return _email


class Phone(TextLike):
    """A phone number, kept as it was typed but for its spaces."""

    name, label, icon = "phone", "Phone", "call"
    scheme = "tel"
    longest: ClassVar[int] = 60

    def reader(self, column: ColumnLike, references: References, current: str | None = None) -> Callable[[str], str]:
        return _phone


def _email(text: str) -> str:
    address = text.removeprefix("mailto:")
    if not _ADDRESS.fullmatch(address) or ".." in address or address.startswith(".") or ".@" in address:
        raise Invalid(f"{quoted(text)} is not an e-mail address such as ann@example.com.")
    return address


def _phone(text: str) -> str:
    number = one_line(text).translate(_DASHES)
    if not _PHONE.fullmatch(number) or not 5 <= sum(map(str.isdigit, number)) <= 21:
        raise Invalid(f"{quoted(text)} is not a phone number: type at least five digits, with + ( ) - . / and spaces.")
    return number


def _link(text: str) -> str:
    if _FOREIGN.search(text):
        _refuse(text)
    if _DOMAIN.fullmatch(text):
        return _web(f"https://{text}", text)
    scheme = _SCHEME.match(text)
    if scheme is None:
        _refuse(text)
    if scheme[1].lower() == "mailto":
        _email(text[len(scheme[0]) :].partition("?")[0])
        return text
    if scheme[1].lower() not in {"http", "https"}:
        raise Invalid(f"{quoted(text)} cannot be kept: links begin with https://, http:// or mailto:.")
    return _web(text, text)


def _web(link: str, text: str) -> str:
    """The link if a browser would go to the host that one reads in it."""
    try:
        parts = urlsplit(link)
        _ = parts.port
    except ValueError:
        _refuse(text)
    if not parts.hostname or parts.username is not None or "//" not in link[:8]:
        _refuse(text)
    return link


def _refuse(text: str) -> NoReturn:
    raise Invalid(f"{quoted(text)} is not a link such as https://example.com/page.")
