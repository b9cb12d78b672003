"""Batched edits: small edits of one sheet that arrive while others are being written form the next round.

Each stays a version and an operation of its own; they share a statement and a commit, which is most of what the edit of
a cell costs. What a round leaves undecided (a new row, a unique value, an access that changed) is written alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from fastapi import Response
from sqlalchemy.exc import DBAPIError, OperationalError

from api.auth.principal import NotSignedIn, session_id_of
from api.auth.request import Caller
from api.http.etags import if_unmoved
from api.http.responses import answer
from api.live.batching import RETRY_LATER, PerLoopBatcher
from core.access.load import recall_together
from core.base.errors import Refused
from core.edits.batch import Outcome
from core.edits.write import RowEdit, write, write_round
from db.engine import transaction

MAX_ROUND = 32


@dataclass(frozen=True)
class EditRequest:
    """A request to write a batch: who asks, in which sheet, what, and on which conditions.

    `person` is the only one as whom it may be written; `seen` is the version of the request's If-Match, `unbased` the
    cells whose edits have no base of their own.
    """

    caller: Caller
    sheet: int
    edit: RowEdit
    person: int | None
    seen: int | None
    unbased: tuple[tuple[int, int], ...]

    @property
    def is_plain(self) -> bool:
        """Whether it may be written in a round with others."""
        return self.seen is None and self.edit.batch.is_plain


class EditResponse(NamedTuple):
    """The answer to an edit, and the version of the sheet that it is an answer of."""

    version: int
    response: Response


def edit_alone(request: EditRequest) -> EditResponse:
    """Write one request in a transaction of its own. Raise what `write` raises, NotSignedIn, or PreconditionFailed."""
    edit = request.edit
    with request.caller.transaction() as (session, actor):
        # In a browser that two people share, the unsent edits of one must not become the other's.
        if request.person not in (None, actor.user_id):
            raise NotSignedIn
        write_edit = partial(
            write,
            session,
            actor,
            request.sheet,
            edit.batch,
            operation_id=edit.operation_id,
            source=edit.source,
            partial=edit.partial,
        )
        outcome = if_unmoved(session, actor, request.sheet, write_edit, version=request.seen, edits=request.unbased)
    return _response(outcome)


def _response(outcome: Outcome) -> EditResponse:
    return EditResponse(outcome.version, answer(outcome.as_json()))


def edit_round(requests: Sequence[EditRequest]) -> list[EditResponse | Exception]:
    """Write the requests of one sheet in one transaction; those that it leaves undecided each in its own, in order."""
    responses: list[EditResponse | Exception] = []
    retry_later: Exception | None = None
    for request, outcome in zip(requests, _write_round(requests), strict=True):
        if isinstance(outcome, Refused):
            responses.append(outcome)
            continue
        responses.append(_response(outcome) if outcome else retry_later or _answer_alone(request))
        retry_later = responses[-1] if isinstance(responses[-1], RETRY_LATER) else retry_later
    return responses


def _write_round(requests: Sequence[EditRequest]) -> list[Outcome | Refused | None]:
    outcomes: list[Outcome | Refused | None] = [None] * len(requests)
    try:
        with transaction() as session:
            callers = [(session_id_of(one.caller.headers), one.sheet, one.caller.address) for one in requests]
            actors = recall_together(session, callers)
            edits = {
                place: (actor, one.edit)
                for place, (one, actor) in enumerate(zip(requests, actors, strict=True))
                if actor and one.person in (None, actor.user_id)
            }
            written = write_round(session, requests[0].sheet, [*edits.values()])
    except OperationalError:  # The database is away, or the sheet is locked: trying one by one would not help.
        raise
    except DBAPIError:  # Something is wrong with one of them: the others must not suffer for it.
        return outcomes
    for place, outcome in zip(edits, written, strict=True):
        outcomes[place] = outcome
    return outcomes


def _answer_alone(request: EditRequest) -> EditResponse | Exception:
    try:
        return edit_alone(request)
    except Exception as error:  # noqa: BLE001 - The handlers of the API answer its caller with it.
        return error


edit_batcher = PerLoopBatcher(edit_round, MAX_ROUND)
