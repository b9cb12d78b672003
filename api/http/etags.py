"""Entity tags (RFC 9110): the state of a sheet that an answer shows, and changes that hold only for what was seen.

A live sheet changes all the time, so `If-Match` is judged by what the request touches and not by the whole sheet: an
edit fails when its cell, and a deletion when its row, changed after the tag's version.
"""

import re
from collections.abc import Callable, Iterable
from typing import Annotated

from fastapi import Header, Response
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Conflict, Invalid
from core.edits.batch import Outcome
from core.edits.preconditions import moved_rows
from core.history.changes_since import scope_digest

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=1000,
        description="The `ETag` of what you read: edits without a `base`, and deletions, hold only for that state. "
        "412 names what moved on. `*` checks nothing.",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", max_length=1000, description="The `ETag` that you have: 304 while it holds."),
]

# Weak tags are taken as well: a proxy that compresses makes them weak, and the version in them is as good.
_TAG = re.compile(r'(?:W/)?"([0-9]{1,18})(?:-[^"]*)?"')


class PreconditionFailed(Conflict):
    """What the request said it had seen is no longer so. `facts` are those of the conflict."""


def tag_of(access: Access) -> str:
    """The tag of what this person sees of the rows now: changes with the sheet, its columns and the person's share."""
    sheet = access.sheet
    return f'"{sheet.version}-{sheet.columns_version}-{scope_digest(access)}"'


def is_known(if_none_match: str | None, access: Access) -> bool:
    """Whether the caller has this state already."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return tag_of(access) in tags or "*" in tags


def not_modified(access: Access) -> Response:
    return Response(status_code=304, headers={"ETag": tag_of(access)})


def version_seen(if_match: str | None) -> int | None:
    """The newest version that the header names; None where nothing is to be checked."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = [_TAG.fullmatch(tag.strip()) for tag in if_match.split(",")]
    if not all(tags):
        raise Invalid("If-Match takes the ETag of rows that you have read, or *.")
    return max(int(tag[1]) for tag in tags if tag)


def if_unmoved(
    session: Session,
    actor: Actor,
    sheet: int,
    write: Callable[[], Outcome],
    *,
    version: int | None,
    edits: Iterable[tuple[int, int]] = (),
) -> Outcome:
    """Write what depends on the version `seen`; PreconditionFailed where a cell of these, or a deleted row, moved."""
    if version is None:
        return write()
    access = get_access(session, actor, sheet)
    if version > access.sheet.version:
        raise PreconditionFailed("This sheet has not come that far: the ETag is of another one. Read the rows again.")
    try:
        outcome = write()
    except Conflict as conflict:
        judged = set(edits)
        if any((cell["row"], cell["column"]) in judged for cell in conflict.facts.get("cells", ())):
            raise PreconditionFailed(conflict.message, **conflict.facts) from conflict
        raise
    # The sheet's lock is held since the write, so nobody can change a row between this look and the commit.
    if moved := moved_rows(session, access, outcome.deleted, since=version, before=outcome.version):
        raise PreconditionFailed(f"Row #{moved[0]} changed meanwhile. Nothing was written.", rows=moved)
    return outcome
