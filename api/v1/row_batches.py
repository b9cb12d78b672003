"""Batched edits: small edits of one sheet that arrive while a round is being written form the next round.

Each edit remains a separate version and operation. The edits of a round share a statement and a commit, which are most
of the cost of a cell's edit. An edit that a round can't decide (a new row, a unique value, a changed access) is written
in its own transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from fastapi import Response
from sqlalchemy.exc import DBAPIError, OperationalError

from api.auth.principal import NotSignedIn, session_id_of
from api.auth.request import Caller
from api.http.etags import write_if_match
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
    """A request to write a batch, and its preconditions.

    `person` is the id of the user who must be signed in, `expected_version` the version of the If-Match header, and
    `unbased` the cells whose edits have no base.
    """

    caller: Caller
    sheet: int
    edit: RowEdit
    person: int | None
    expected_version: int | None
    unbased: tuple[tuple[int, int], ...]

    @property
    def is_plain(self) -> bool:
        """Whether the edit can be part of a round."""
        return self.expected_version is None and self.edit.batch.is_plain


class EditResponse(NamedTuple):
    """The response to an edit, and the version of the sheet after it."""

    version: int
    response: Response


def edit_alone(request: EditRequest) -> EditResponse:
    """Write one request in a transaction of its own. Raise what `write` raises, NotSignedIn, or PreconditionFailed."""
    edit = request.edit
    with request.caller.transaction() as (session, actor):
        # In a browser that two people share, unsent edits of one must not be written as the other.
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
        outcome = write_if_match(
            session, actor, request.sheet, write_edit, version=request.expected_version, edits=request.unbased
        )
    return _response(outcome)


def _response(outcome: Outcome) -> EditResponse:
    return EditResponse(outcome.version, answer(outcome.as_json()))


def edit_round(requests: Sequence[EditRequest]) -> list[EditResponse | Exception]:
    """Write the requests of one sheet in one transaction; then each undecided one in its own transaction, in order."""
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
    """Write the requests in one transaction. None is the outcome of an undecided one."""
    outcomes: list[Outcome | Refused | None] = [None] * len(requests)
    try:
        with transaction() as session:
            callers = [
                (session_id_of(request.caller.headers), request.sheet, request.caller.address) for request in requests
            ]
            actors = recall_together(session, callers)
            edits = {
                index: (actor, request.edit)
                for index, (request, actor) in enumerate(zip(requests, actors, strict=True))
                if actor and request.person in (None, actor.user_id)
            }
            round_outcomes = write_round(session, requests[0].sheet, [*edits.values()])
    except OperationalError:  # The database does not answer, or the sheet is locked: a retry one by one fails as well.
        raise
    except DBAPIError:  # One of the edits is invalid. Each is written alone, so the others still succeed.
        return outcomes
    for index, outcome in zip(edits, round_outcomes, strict=True):
        outcomes[index] = outcome
    return outcomes


def _answer_alone(request: EditRequest) -> EditResponse | Exception:
    try:
        return edit_alone(request)
    except Exception as error:  # noqa: BLE001 - The API's error handlers turn it into this request's response.
        return error


edit_batcher = PerLoopBatcher(edit_round, MAX_ROUND)
