"""The change feed: the changes of a sheet since a version, read once for all callers with the same view of it.

One edit wakes all watchers of a sheet, and most of them request the same changes at once. Requests that arrive while a
batch is answered form the next batch: one thread and a few statements answer it, and edits do not wait for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Response
from sqlalchemy.orm import Session

from api.auth.principal import LinkExpired, NotSignedIn, principal_of, session_id_of
from api.auth.request import Caller
from api.http.responses import json_bytes, json_response
from api.live.batching import PerLoopBatcher
from core.access.access import Access
from core.access.cache import access_cache
from core.access.load import cached_access, enter_together, get_access
from core.base.actor import Actor
from core.base.errors import Refused
from core.base.permissions import Permission
from core.history.changes_since import changes_for, changes_since
from db.engine import snapshot, transaction

MAX_BATCH = 100


@dataclass(frozen=True)
class ChangesRequest:
    """A caller, and the version of a sheet since which they want the changes."""

    caller: Caller
    sheet: int
    since: int


Answer = Response | Exception


# Level, scope and version: callers who have these in common get the same changes of a sheet.
FeedKey = tuple[str, str, int]


def answer_requests(requests: Sequence[ChangesRequest]) -> list[Answer]:
    """The changes for each request that its caller may see; an exception if the caller has no access."""
    answers = _answer_cached(requests)
    uncached = [index for index in range(len(requests)) if index not in answers]
    if uncached:
        answers |= zip(uncached, _answer_uncached([requests[index] for index in uncached]), strict=True)
    return [answers[index] for index in range(len(requests))]


def _answer_cached(requests: Sequence[ChangesRequest]) -> dict[int, Answer]:
    """Answers by index for callers whose cached access is still valid, with one statement per feed key."""
    answers: dict[int, Answer] = {}
    with transaction() as session:
        groups: dict[FeedKey, dict[int, Access]] = {}
        for index, request in enumerate(requests):
            access = cached_access(session, session_id_of(request.caller.headers), request.sheet)
            # Of own rows the owners may have changed. Computed cells take statements of their own, in a snapshot.
            if access and access.owners is None and not access.needs_snapshot:
                groups.setdefault((access.level.value, access.scope, request.since), {})[index] = access
        for (_, _, since), group in groups.items():
            changes_by_access = changes_for(session, [*group.values()], since)
            content = next((json_bytes(changes.as_json()) for changes in changes_by_access if changes), b"")
            for (index, access), changes in zip(group.items(), changes_by_access, strict=True):
                if changes:
                    answers[index] = json_response(content)
                else:
                    access_cache(session).evict_access(access.actor.session_id, access.sheet.sheet_id)
    return answers


def _answer_uncached(requests: Sequence[ChangesRequest]) -> list[Answer]:
    """Answers for callers without a cached access. It is loaded for all in one statement, and cached."""
    with snapshot() as session:
        actors = enter_together(
            session,
            [(session_id_of(request.caller.headers), request.sheet, request.caller.address) for request in requests],
        )
        contents = dict[tuple[FeedKey, int], bytes]()
        return [_answer(session, request, actor, contents) for request, actor in zip(requests, actors, strict=True)]


def _answer(
    session: Session, request: ChangesRequest, actor: Actor | None, contents: dict[tuple[FeedKey, int], bytes]
) -> Answer:
    try:
        # A personal token and a link visitor have no session id.
        caller = request.caller
        principal = actor or principal_of(session, caller.headers, address=caller.address, only_reads=True)
        access = get_access(session, principal, request.sheet, Permission.ROWS_SEE)
    except (NotSignedIn, LinkExpired, Refused) as refusal:
        return refusal
    access_cache(session).store_access(access)
    key = (access.level.value, access.scope, request.since), access.sheet.version
    if key not in contents:
        contents[key] = json_bytes(changes_since(session, access, request.since).as_json())
    return json_response(contents[key])


change_feed = PerLoopBatcher(answer_requests, MAX_BATCH)
