"""Texts, links, e-mail addresses and phone numbers: what is kept, what is mended, what is refused."""

import time

import pytest

from core.base.errors import Invalid
from core.column_types import column_type
from tests.core.column_types import check, parse, refusal


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        *(
            ("  a  b ", "a  b"),
            ("e\u0301", "é"),
            ("a\r\n b\tc", "a b c"),
            ("\u202eevil\u202c", "evil"),
            ("\ufeffhi", "hi"),
        ),
        *(("e\u200e\u0301", "é"), ("a\x07b", "ab"), ("<script>alert(1)</script>",) * 2, ("=HYPERLINK(1)",) * 2),
        *(("👩‍👩‍👧",) * 2, ("שלום",) * 2, ("'; DROP TABLE x;--",) * 2, ("**bold** :red[x]",) * 2),
    ],
)
def test_one_line_is_kept_as_it_looks(text: str, kept: str) -> None:
    assert parse("text", text) == check("text", text) == kept


def test_long_text_keeps_its_lines() -> None:
    assert parse("long_text", "a\r\n\tb\rc\u2028d") == "a\n\tb\nc\nd"


def test_the_limits_are_named_and_hold_for_typed_and_sent_text() -> None:
    assert "10,000" in refusal("text", "x" * 10_001)
    assert "100,000" in refusal("long_text", "x" * 100_001)
    assert "at most 5" in refusal("text", "abcdef", max_length=5)
    assert "at least 2" in refusal("text", "a", min_length=2)
    with pytest.raises(Invalid, match="at most 5"):
        check("text", "abcdef", max_length=5)


def test_a_pattern_must_match_the_whole_text() -> None:
    assert parse("text", "AB-12", pattern="[A-Z]{2}-[0-9]+") == "AB-12"
    assert "[A-Z]{2}-[0-9]+" in refusal("text", "xAB-12", pattern="[A-Z]{2}-[0-9]+")


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a*)*(a*)*(a*)*b", "a?" * 50 + "a" * 50 + "b"])
def test_no_pattern_holds_the_server(pattern: str) -> None:
    started = time.perf_counter()
    refusal("text", "a" * 10_000, pattern=pattern)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("pattern", ["(", "[z-a]", r"(a)\1", "x" * 501, "((a{100}){100}){100}"])
def test_a_pattern_that_cannot_be_used_is_refused_when_it_is_set(pattern: str) -> None:
    with pytest.raises(Invalid, match=r"pattern|Pattern"):
        column_type("text").check_rules({"pattern": pattern})


@pytest.mark.parametrize(
    ("text", "link"),
    [
        *(("https://example.com/a?b=c#d",) * 2, ("HTTP://Example.com",) * 2, ("mailto:ann@example.com",) * 2),
        *(("example.com", "https://example.com"), ("www.example.co.uk:8080/x", "https://www.example.co.uk:8080/x")),
        ("münchen.de", "https://münchen.de"),
    ],
)
def test_a_link_leads_to_the_web_or_to_an_address(text: str, link: str) -> None:
    assert parse("link", text) == check("link", text) == link


@pytest.mark.parametrize(
    "text",
    [
        *(
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\nscript:alert(1)",
            "\x01javascript:alert(1)",
            "vbscript:x",
        ),
        *(
            "data:text/html,x",
            "file:///etc/passwd",
            r"\\server\share",
            "//server/share",
            "blob:https://x",
            "ftp://x.de",
        ),
        *(
            "https://",
            "https:///x",
            "http:example.com",
            "https://bank.de@evil.com",
            "https://[::1",
            "https://a.b:99999",
        ),
        *(
            "https://x.de/<script>",
            'https://x.de/"onclick=',
            "https:\\\\x.de",
            "https://x y.de",
            "mailto:",
            "hello",
            "C:\\x",
        ),
    ],
)
def test_a_link_that_leads_elsewhere_is_refused(text: str) -> None:
    assert refusal("link", text)
    with pytest.raises(Invalid):
        check("link", text)


@pytest.mark.parametrize("text", ["ann@example.com", "a.b+c@sub.example.co.uk", "ü@münchen.de", "o'neil@x.org"])
def test_an_e_mail_address_is_kept(text: str) -> None:
    assert parse("email", text) == text


@pytest.mark.parametrize(
    "text", ["ann", "a@b", "a@@b.de", "a b@c.de", "Ann <a@b.de>", "a..b@c.de", "a@b.de,c@d.de", ".a@b.de"]
)
def test_what_is_no_e_mail_address_is_refused(text: str) -> None:
    assert refusal("email", text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("+49 (0)89  123-456", "+49 (0)89 123-456"),
        ("555.1234 ext. 5", "555.1234 ext. 5"),
        ("089\u00a0/ 123 456", "089 / 123 456"),
    ],
)
def test_a_phone_number_is_kept_as_typed(text: str, kept: str) -> None:
    assert parse("phone", text) == kept


@pytest.mark.parametrize("text", ["1234", "call me", "12345x", "+", "=1+12345", "1" * 40])
def test_what_is_no_phone_number_is_refused(text: str) -> None:
    assert refusal("phone", text)
