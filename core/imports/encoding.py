"""Encoding: which characters the bytes of a file mean. A guess is shown and can be changed; nothing is replaced."""

import codecs
import io
import re
from itertools import pairwise
from typing import BinaryIO

import charset_normalizer

from core.base.errors import Invalid

# What a person can choose from, most likely first.
ENCODINGS = {
    "utf-8": "Unicode (UTF-8)",
    "utf-16-le": "Unicode (UTF-16)",
    "utf-16-be": "Unicode (UTF-16, big-endian)",
    "cp1252": "Western European (Windows-1252)",
    "iso8859-15": "Western European (ISO 8859-15)",
    "mac-roman": "Western European (Mac)",
    "cp850": "Western European (DOS 850)",
    "cp1250": "Central European (Windows-1250)",
    "iso8859-2": "Central European (ISO 8859-2)",
    "cp1251": "Cyrillic (Windows-1251)",
    "koi8-r": "Cyrillic (KOI8-R)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp932": "Japanese (Shift-JIS)",
    "gb18030": "Chinese (GB 18030)",
    "big5": "Chinese (Big5)",
    "cp949": "Korean (CP949)",
}
_SINGLE_BYTE = ("cp1252", "mac-roman", "cp850", "cp1250", "cp1251", "koi8-r", "cp1253")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHUNK = 1 << 20
_SAMPLE = 1 << 15
_HIGH = re.compile(rb"[\x80-\xff]+")
_MULTI_BYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# Below this score no simple encoding gives a readable language: ask a library that knows Asian encodings.
_DOUBTFUL = 0.3
_ENOUGH = 8
_LATIN = "\u0250"


def detect_encoding(file: BinaryIO, head: bytes) -> str:
    """The encoding of a text file that begins with `head`. Raises Invalid on a mix of two, and on NUL bytes."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    if wide := _without_bom(head):
        return wide
    high = _high_bytes(file)
    if high is None:
        return "utf-8"
    return _single_byte(high)


def checked_encoding(name: str) -> str:
    """Return the name of the encoding as ENCODINGS has it. Raises Invalid."""
    try:
        codec_name = codecs.lookup(name).name
    except LookupError:
        codec_name = ""
    encodings = {codecs.lookup(encoding).name: encoding for encoding in ENCODINGS} | {
        "latin-1": "cp1252",
        "ascii": "utf-8",
    }
    encodings |= {"iso8859-1": "cp1252", "utf-8-sig": "utf-8", "utf-16": "utf-16-le"}
    if codec_name not in encodings:
        raise Invalid(f"Unknown encoding “{name[:40]}”. Choose one of: {', '.join(ENCODINGS)}.")
    return encodings[codec_name]


def opened_text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """The file from its beginning as text, its line ends untouched, behind the byte-order mark if there is one."""
    file.seek(0)
    bom = next((bom for bom, name in _BOMS if name == encoding), b"")
    if not bom or file.read(len(bom)) != bom:
        file.seek(0)
    return io.TextIOWrapper(file, encoding, errors="strict", newline="")


def _without_bom(head: bytes) -> str | None:
    """UTF-16 without a byte-order mark: in most texts every second byte is NUL. Raises Invalid on other NULs."""
    if b"\0" not in head:
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    if odd > half * 0.4 and even < half * 0.1:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.1:
        return "utf-16-be"
    line = head[: head.index(0)].count(b"\n") + 1
    raise Invalid(f"Line {line} holds a NUL character, so it is damaged or not a CSV file. Save it again as CSV.")


def _high_bytes(file: BinaryIO) -> bytes | None:
    """None where the whole file is UTF-8, else its lines with bytes above ASCII (some), to guess from."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    sample, is_utf8 = b"", True
    while chunk := file.read(_CHUNK):
        if b"\0" in chunk:
            raise Invalid("The file holds NUL characters, so it is damaged or not a CSV file. Save it again as CSV.")
        if is_utf8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_utf8 = False
        if len(sample) < _SAMPLE and _HIGH.search(chunk):
            sample += _lines_with_high_bytes(chunk)
    if is_utf8:
        return None
    _refuse_mixed(sample)
    return sample


def _lines_with_high_bytes(chunk: bytes) -> bytes:
    lines = [line for line in re.split(rb"[\r\n]+", chunk) if _HIGH.search(line)]
    return b"\n".join(lines)[:_SAMPLE] + b"\n"


def _refuse_mixed(sample: bytes) -> None:
    """A file put together from two encodings cannot be read right in either."""
    right = len(_MULTI_BYTE.findall(sample))
    wrong = len(_HIGH.findall(_MULTI_BYTE.sub(b"", sample)))
    if right >= 3 and right >= wrong:
        raise Invalid(
            "The file mixes two encodings: most of it is UTF-8, and some lines are not. Save it again as CSV (UTF-8)."
        )


def _single_byte(sample: bytes) -> str:
    scores = {name: _likelihood(sample, name) for name in _SINGLE_BYTE}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] >= _DOUBTFUL or len(_HIGH.findall(sample)) < _ENOUGH:
        return best if scores[best] > scores["cp1252"] else "cp1252"
    matches = charset_normalizer.from_bytes(sample, cp_isolation=["cp932", "gb18030", "big5", "cp949", *_SINGLE_BYTE])
    guess = matches.best()
    return checked_encoding(guess.encoding) if guess and guess.encoding != "ascii" else best


def _likelihood(sample: bytes, encoding: str) -> float:
    """How much the characters above ASCII look like language in this encoding: at most 1 for each of them."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return -2.0
    pairs = list(pairwise(f" {text} "))
    marks = [_mark(before, this, after) for (before, this), (_, after) in pairwise(pairs) if this > "\x7f"]
    return sum(marks) / max(len(marks), 1)


def _mark(before: str, this: str, after: str) -> float:
    """A letter among letters of its script is likely, a symbol or a capital inside a word is not."""
    inside = before.isalpha() and after.isalpha()
    if not this.isprintable():
        return 0.0 if this.isspace() and not inside else -2.0
    if not this.isalpha():
        return -1.0 if inside else 0.3 if this in "€£§°«»“”„’–…·" else 0.0
    if this.isupper() and before.islower():
        return -0.7
    neighbours = [character for character in (before, after) if character.isalpha()]
    if this < _LATIN:  # Letters above ASCII seldom stand side by side.
        return 0.2 if not neighbours or max(neighbours) > "\x7f" else 1.0
    return 0.9 if all(character >= _LATIN for character in neighbours) else -1.0
