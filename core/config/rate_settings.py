"""The default rate limits by name, and the setting that changes them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

LimitName = Literal["api", "address", "message", "export", "import", "upload", "link", "visit", "taken"]
OFF = "off"
_ENTRY = re.compile(r"([a-z]+)=([0-9]{1,9})/([0-9]{1,6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rate:
    """An amount within a number of seconds."""

    amount: int
    seconds: int


# A scrolling grid sends 20 requests per second, and copying a long column 1,000 at once; an office of hundreds of
# people may share one address.
RATES: dict[LimitName, Rate] = {
    "api": Rate(2000, 20),  # Requests per session or token; per address without either.
    "address": Rate(10_000, 20),  # Pages, sockets and unauthenticated requests per address.
    "message": Rate(400, 10),  # Messages per user, over all their sockets to this process.
    "export": Rate(10, 60),  # Files per user.
    "import": Rate(10, 60),  # Files per user, previewed or imported.
    "upload": Rate(200, 600),  # Megabytes uploaded to a page per user.
    "link": Rate(20, 600),  # Wrong public links per address.
    "taken": Rate(20, 600),  # Values of one user that are in use in rows they can't see.
    "visit": Rate(100, 600),  # First visits to a public link per address.
}


def read_rates(text: str) -> Mapping[LimitName, Rate]:
    """Return the default rates with the changes of a setting like “api=600/10, export=10/60”; no rates for “off”.

    Raises ValueError with a reason.
    """
    if text.strip().lower() == OFF:
        return {}
    return RATES | dict(_parse_entry(entry.strip()) for entry in text.split(",") if entry.strip())


def _parse_entry(entry: str) -> tuple[LimitName, Rate]:
    match = _ENTRY.fullmatch(entry.replace(" ", ""))
    name = next((name for name in get_args(LimitName) if match and name == match[1]), None)
    if not (match and name and int(match[2]) and int(match[3])):
        raise ValueError(
            f"“{entry}” is not a rate like api=600/10 (amount/seconds) for one of {', '.join(get_args(LimitName))}"
        )
    return name, Rate(int(match[2]), int(match[3]))
