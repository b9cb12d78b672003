"""The chain over the audit trail, checked link by link: each hash is computed here again, without the database's help.

It shows what anybody changed, took out or put in afterwards who could not also rewrite every later link and the head.
Whoever can do that, such as a superuser of the database, is only found by a head that was kept elsewhere.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.base.errors import Invalid, Refused

START = bytes(32)
AT_A_TIME = 2000
HASH_LENGTH = 64


class Broken(Refused):
    """The audit trail is not what was recorded; the message says where that first shows."""


@dataclass(frozen=True)
class Verified:
    """A chain without a break: how many events it has, how many of them were checked, and its head, in hexadecimal."""

    events: int
    checked: int
    head: str


def head(session: Session) -> tuple[int, str]:
    """How many events the chain has, and its head in hexadecimal: to be kept where the database's keepers are not."""
    found = session.execute(_HEAD).one()
    return found.position, found.hash.hex()


def verify(engine: Engine, *, since: str | None = None, head: str | None = None) -> Verified:
    """Check the whole chain, at one moment, while others go on writing. Raises Broken with the first break.

    `since` and `head` are hashes of earlier heads, kept where nobody with access to the database could change them.
    Both must stand in the chain; what lies before `since` is taken as checked. Raises Invalid for what is no hash.
    """
    asked = [_hash(given) for given in (since, head)]
    snapshot = engine.connect().execution_options(isolation_level="REPEATABLE READ", yield_per=AT_A_TIME)
    with snapshot as connection:
        end = connection.execute(_HEAD).one_or_none()
        if end is None:
            raise Broken("The head of the audit trail is gone.")
        walk = _Walk(since=asked[0], head=asked[1])
        for line in connection.execute(_LINES).mappings():
            walk.step(line)
        return walk.arrive(end.position, end.hash)


def chained(before: bytes, event: Any) -> bytes:
    """The hash of an event behind the hash before it: SHA-256 over both, the event in its canonical form."""
    return hashlib.sha256(before + canonical(event).encode()).digest()


def canonical(event: Any) -> str:
    """The event as one JSON array, the facts as the database writes them."""
    parts = (event[name] for name in ("event_id", "recorded_at", "action", "actor_id", "sheet_id", "address"))
    return f"[{', '.join([*(json.dumps(part, ensure_ascii=False) for part in parts), event['facts']])}]"


class _Walk:
    """Along the chain, link by link."""

    def __init__(self, *, since: bytes | None, head: bytes | None) -> None:
        self.since, self.head = since, head
        self.position, self.hash = 0, START
        self.checked = 0
        self.trusts = since is not None and since != START
        self.saw_head = head is None or head == START

    def step(self, line: Any) -> None:
        """The next link, or, behind the last one, an event that has none."""
        if line["position"] is None:
            raise Broken(f"{_named(line)} was put into the audit trail around the chain.")
        if line["position"] != self.position + 1:
            raise Broken(f"The chain has no link {self.position + 1}; it was taken out.")
        if line["action"] is None:
            raise Broken(f"Event {line['linked']}, number {line['position']} of the chain, was deleted.")
        self._check(line)
        self.position, self.hash = line["position"], line["hash"]
        self.trusts = self.trusts and self.hash != self.since
        self.saw_head = self.saw_head or self.hash == self.head

    def _check(self, line: Any) -> None:
        if self.trusts:
            return
        self.checked += 1
        if chained(self.hash, line) != line["hash"]:
            raise Broken(
                f"{_named(line)}, number {line['position']} of the chain, is not what was recorded: it was changed, or "
                "its place in the chain was."
            )

    def arrive(self, position: int, end: bytes) -> Verified:
        """The end, which must be where the head says, and behind what was kept elsewhere."""
        if (self.position, self.hash) != (position, end):
            gone = position - self.position
            what = f"{gone} event{'s' if gone > 1 else ''} missing at the end" if gone > 0 else "another end"
            raise Broken(f"The audit trail has {what}: it stops at number {self.position}, its head is at {position}.")
        if self.trusts:
            raise Broken("The hash given as --since is not in the chain: it was rewritten, or cut before that.")
        if not self.saw_head:
            raise Broken("The hash given as --head is not in the chain: it was rewritten, or cut before that.")
        return Verified(self.position, self.checked, self.hash.hex())


def _hash(given: str | None) -> bytes | None:
    if given is None:
        return None
    try:
        found = bytes.fromhex(given)
    except ValueError:
        found = b""
    if len(given) != HASH_LENGTH or len(found) != len(START):
        raise Invalid(f"“{given[:80]}” is no hash of a head: that has {HASH_LENGTH} hexadecimal digits.")
    return found


def _named(line: Any) -> str:
    return f"Event {line['event_id']} ({line['action'][:80]})"


_HEAD = text("SELECT position, hash FROM audit_head")
# Events without a link come last, links without an event at their place.
_LINES = text("""
    SELECT c.position, c.hash, c.event_id AS linked, e.event_id, e.action, e.actor_id, e.sheet_id,
           to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS recorded_at,
           CAST(e.address AS text) AS address, CAST(e.facts AS text) AS facts
    FROM audit_chain c FULL JOIN audit_events e ON e.event_id = c.event_id
    ORDER BY c.position NULLS LAST, e.event_id
""")
