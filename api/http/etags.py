"""Entity tags (RFC 9110) of a sheet's rows, and conditional requests.

A live sheet changes all the time, so `If-Match` checks only the cells and rows of the request and not the whole sheet:
an edit fails if its cell, and a deletion if its row, changed after the tag's version.
"""

import re
from collections.abc import Callable, Iterable
from hashlib import sha256
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
from core.rows.query import View, resolve

NO_VIEW = View()

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=1000,
        description="The `ETag` of the rows that you read, for edits without a `base` and for deletions. "
        "412 names what changed since. `*` checks nothing.",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", max_length=1000, description="The `ETag` that you have: 304 if nothing changed."),
]

# Weak tags are accepted, too: a proxy that compresses makes tags weak, and does not change the version in them.
_TAG = re.compile(r'(?:W/)?"([0-9]{1,18})(?:-[^"]*)?"')


class PreconditionFailed(Conflict):
    """A cell or row changed after the version of If-Match. `facts` are those of the conflict."""


def tag_of(access: Access, view: View = NO_VIEW) -> str:
    """The tag of a view's rows as this user sees them now.

    It changes with the sheet and its related sheets, its columns and the user's access, the settings of a stored view,
    and with the day where a formula or a relative date depends on it.
    """
    sheet = access.sheet
    state = access.scope, access.versions, resolve(access, view).fingerprint
    digest = sha256(repr(state).encode()).hexdigest()[:16]
    return f'"{sheet.version}-{sheet.columns_version}-{scope_digest(access)}{digest}"'


def is_current(if_none_match: str | None, tag: str) -> bool:
    """Whether a tag of the header is that of the rows now."""
    tags = [known.strip().removeprefix("W/") for known in (if_none_match or "").split(",")]
    return tag in tags or "*" in tags


def not_modified(tag: str) -> Response:
    return Response(status_code=304, headers={"ETag": tag})


def expected_version(if_match: str | None) -> int | None:
    """The newest version in the header; None if there is nothing to check. Raises Invalid."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = [_TAG.fullmatch(tag.strip()) for tag in if_match.split(",")]
    if not all(tags):
        raise Invalid("If-Match must be the ETag of rows that you have read, or *.")
    return max(int(tag[1]) for tag in tags if tag)


def write_if_match(
    session: Session,
    actor: Actor,
    sheet: int,
    write: Callable[[], Outcome],
    *,
    version: int | None,
    edits: Iterable[tuple[int, int]] = (),
) -> Outcome:
    """Write, if `edits` (row and column of cells) and the deleted rows did not change since the version.

    Raises PreconditionFailed. Without a version, nothing is checked.
    """
    if version is None:
        return write()
    access = get_access(session, actor, sheet)
    if version > access.sheet.version:
        raise PreconditionFailed("This ETag doesn't belong to this sheet. Read the rows again.")
    try:
        outcome = write()
    except Conflict as conflict:
        checked_cells = set(edits)
        if any((cell["row"], cell["column"]) in checked_cells for cell in conflict.facts.get("cells", ())):
            raise PreconditionFailed(conflict.message, **conflict.facts) from conflict
        raise
    # The sheet has been locked since the write, so no row can change between this check and the commit.
    if moved := moved_rows(session, access, outcome.deleted, since=version, before=outcome.version):
        raise PreconditionFailed(f"Row #{moved[0]} changed since you read it. Nothing was written.", rows=moved)
    return outcome
