"""Check of the audit trail's hash chain; each hash is computed here again, independently of the database.

It finds events that were changed, removed or inserted later, unless all later hashes and the head were rewritten too. A
database superuser can do that; only a head that was kept elsewhere reveals it.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.base.errors import Invalid, Refused

START = bytes(32)
BATCH_SIZE = 2000
HASH_LENGTH = 64


class ChainBroken(Refused):
    """The audit trail differs from what was recorded; the message names the first difference."""


@dataclass(frozen=True)
class VerifiedChain:
    """An intact chain: its number of events, how many of them were checked, and its head in hexadecimal."""

    events: int
    checked: int
    head: str


def head(session: Session) -> tuple[int, str]:
    """Return the number of events in the chain and its head in hexadecimal. Keep it outside the database."""
    row = session.execute(_HEAD).one()
    return row.position, row.hash.hex()


def verify(engine: Engine, *, since: str | None = None, head: str | None = None) -> VerifiedChain:
    """Check the whole chain in one snapshot, without blocking writers. Raises ChainBroken with the first break.

    `since` and `head` are hashes of earlier heads that were kept outside the database. Both must be in the chain;
    events up to `since` are not checked again. Raises Invalid for a malformed hash.
    """
    since_hash, head_hash = _hash(since), _hash(head)
    snapshot = engine.connect().execution_options(isolation_level="REPEATABLE READ", yield_per=BATCH_SIZE)
    with snapshot as connection:
        end = connection.execute(_HEAD).one_or_none()
        if end is None:
            raise ChainBroken("The head of the audit trail is missing.")
        check = _ChainCheck(since=since_hash, head=head_hash)
        for line in connection.execute(_LINES).mappings():
            check.add(line)
        return check.finish(end.position, end.hash)


def event_hash(before: bytes, event: Any) -> bytes:
    """Return the hash of an event: SHA-256 over the previous hash and the canonical form of the event."""
    return hashlib.sha256(before + canonical(event).encode()).digest()


def canonical(event: Any) -> str:
    """Return the event as one JSON array, with the facts as the database writes them."""
    values = (event[name] for name in ("event_id", "recorded_at", "action", "actor_id", "sheet_id", "address"))
    return f"[{', '.join([*(json.dumps(value, ensure_ascii=False) for value in values), event['facts']])}]"


class _ChainCheck:
    """A check of the chain, link by link in order."""

    def __init__(self, *, since: bytes | None, head: bytes | None) -> None:
        self.since, self.head = since, head
        self.position, self.hash = 0, START
        self.checked = 0
        self.skips = since is not None and since != START
        self.saw_head = head is None or head == START

    def add(self, line: Any) -> None:
        """Check the next link; events without a link come after the last one."""
        if line["position"] is None:
            raise ChainBroken(f"{_event_label(line)} was inserted into the audit trail without a link in the chain.")
        if line["position"] != self.position + 1:
            raise ChainBroken(f"Link {self.position + 1} of the chain is missing: it was removed.")
        if line["action"] is None:
            raise ChainBroken(f"Event {line['linked']}, number {line['position']} of the chain, was deleted.")
        self._check(line)
        self.position, self.hash = line["position"], line["hash"]
        self.skips = self.skips and self.hash != self.since
        self.saw_head = self.saw_head or self.hash == self.head

    def _check(self, line: Any) -> None:
        if self.skips:
            return
        self.checked += 1
        if event_hash(self.hash, line) != line["hash"]:
            raise ChainBroken(
                f"{_event_label(line)}, number {line['position']} of the chain, is not what was recorded: it was "
                "changed or moved in the chain."
            )

    def finish(self, position: int, end: bytes) -> VerifiedChain:
        """Check that the chain ends at its head and contains the given hashes."""
        if (self.position, self.hash) != (position, end):
            missing = position - self.position
            problem = (
                f"{missing} event{'s' if missing > 1 else ''} missing at the end" if missing > 0 else "another end"
            )
            raise ChainBroken(
                f"The audit trail has {problem}: it ends at number {self.position}, its head at {position}."
            )
        if self.skips:
            raise ChainBroken("The hash given as --since is not in the chain: it was rewritten or cut off earlier.")
        if not self.saw_head:
            raise ChainBroken("The hash given as --head is not in the chain: it was rewritten or cut off earlier.")
        return VerifiedChain(self.position, self.checked, self.hash.hex())


def _hash(hexadecimal: str | None) -> bytes | None:
    if hexadecimal is None:
        return None
    try:
        digest = bytes.fromhex(hexadecimal)
    except ValueError:
        digest = b""
    if len(hexadecimal) != HASH_LENGTH or len(digest) != len(START):
        raise Invalid(f"“{hexadecimal[:80]}” isn't a hash of a head, which has {HASH_LENGTH} hexadecimal digits.")
    return digest


def _event_label(line: Any) -> str:
    return f"Event {line['event_id']} ({line['action'][:80]})"


_HEAD = text("SELECT position, hash FROM audit_head")
# Events without a link come last.
_LINES = text("""
    SELECT c.position, c.hash, c.event_id AS linked, e.event_id, e.action, e.actor_id, e.sheet_id,
           to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS recorded_at,
           CAST(e.address AS text) AS address, CAST(e.facts AS text) AS facts
    FROM audit_chain c FULL JOIN audit_events e ON e.event_id = c.event_id
    ORDER BY c.position NULLS LAST, e.event_id
""")
