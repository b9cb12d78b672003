"""Rates: how often one may do what, by kind, and how an installation says otherwise."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["api", "address", "message", "export", "import", "upload", "link", "visit", "taken"]
OFF = "off"
_ENTRY = re.compile(r"([a-z]+)=([0-9]{1,9})/([0-9]{1,6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many within so many seconds."""

    amount: int
    seconds: int


# A grid that is scrolled sends twenty requests a second, one from which a long column is copied a thousand at once; an
# office of hundreds may share one address.
RATES: dict[Kind, Rate] = {
    "api": Rate(2000, 20),  # Requests of one session or token; of one address where neither is given.
    "address": Rate(10_000, 20),  # Pages and sockets of one address, and requests that nobody known makes.
    "message": Rate(400, 10),  # Messages of one person over all their sockets to this process.
    "export": Rate(10, 60),  # Files of one person.
    "import": Rate(10, 60),  # Files of one person, tried or taken.
    "upload": Rate(200, 600),  # Megabytes of one person's files for a page.
    "link": Rate(20, 600),  # Wrong guesses at public links, of one address.
    "taken": Rate(20, 600),  # Answers to one person that a row they do not see has a unique value already.
    "visit": Rate(100, 600),  # Browsers of one address that open a public link for the first time.
}


def read_rates(text: str) -> Mapping[Kind, Rate]:
    """The rates that “api=600/10, export=10/60” makes of the usual ones; none with “off”. ValueError with a reason."""
    if text.strip().lower() == OFF:
        return {}
    return RATES | dict(_entry(part.strip()) for part in text.split(",") if part.strip())


def _entry(part: str) -> tuple[Kind, Rate]:
    found = _ENTRY.fullmatch(part.replace(" ", ""))
    kind = next((one for one in get_args(Kind) if found and one == found[1]), None)
    if not (found and kind and int(found[2]) and int(found[3])):
        raise ValueError(
            f"“{part}” is no rate like api=600/10 (so many in so many seconds) of {', '.join(get_args(Kind))}"
        )
    return kind, Rate(int(found[2]), int(found[3]))
