"""Writers: small edits of one sheet that arrive while others are being written are written together with them.

Each stays a version and an operation of its own; what they share is the transaction, which is most of what an edit of
one cell costs. Whatever is not plainly written (a conflict, a refusal, a new row, somebody whom only the whole path
knows) is written alone, as if there were no others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple
from uuid import UUID

from fastapi import Response
from sqlalchemy.exc import DBAPIError, OperationalError

from api.auth.principal import NotSignedIn, session_of
from api.auth.request import Asker
from api.http.etags import if_unmoved
from api.http.responses import answer
from api.live.batching import HOPELESS, OfLoop
from core.access.cache import recall_together
from core.base.actor import Actor
from core.edits.batch import Batch, Outcome
from core.edits.operation import Source
from core.edits.write import Wish, write, write_together
from db.engine import transaction

MOST = 32


@dataclass(frozen=True)
class Asking:
    """Who asks to write what, and on which conditions."""

    asker: Asker
    sheet: int
    batch: Batch
    operation_id: UUID
    source: Source
    partial: bool
    person: int | None
    seen: int | None
    unbased: tuple[tuple[int, int], ...]

    def wish(self, actor: Actor) -> Wish:
        """What this asks of core."""
        return Wish(actor, self.batch, self.operation_id, self.source)

    @property
    def is_plain(self) -> bool:
        """Whether it may be written together with others."""
        return self.seen is None and self.batch.is_plain


class Written(NamedTuple):
    """What came of it: the version as of which it is answered, and the answer."""

    version: int
    answer: Response


def written_alone(asked: Asking) -> Written:
    """What came of one who is alone, in a transaction of their own."""
    with asked.asker.transaction() as (session, actor):
        # In a browser that two people share, what one left waiting must not become the other's.
        if asked.person not in (None, actor.user_id):
            raise NotSignedIn
        writing = partial(
            write,
            session,
            actor,
            asked.sheet,
            asked.batch,
            operation_id=asked.operation_id,
            source=asked.source,
            partial=asked.partial,
        )
        outcome = if_unmoved(session, actor, asked.sheet, writing, seen=asked.seen, edits=asked.unbased)
    return _told(outcome)


def _told(outcome: Outcome) -> Written:
    return Written(outcome.version, answer(outcome.as_json()))


def written(together: Sequence[Asking]) -> list[Written | Exception]:
    """What came of those who write in one sheet at the same time."""
    outcomes = _written_together(together)
    answers = list[Written | Exception]()
    hopeless: Exception | None = None
    for asked, outcome in zip(together, outcomes, strict=True):
        answers.append(_told(outcome) if outcome else hopeless or _answer_alone(asked))
        hopeless = answers[-1] if isinstance(answers[-1], HOPELESS) else hopeless
    return answers


def _written_together(together: Sequence[Asking]) -> list[Outcome | None]:
    outcomes: list[Outcome | None] = [None] * len(together)
    try:
        with transaction() as session:
            actors = recall_together(
                session, [(session_of(one.asker.headers), one.sheet, one.asker.address) for one in together]
            )
            known = [
                (place, one.wish(actor))
                for place, (one, actor) in enumerate(zip(together, actors, strict=True))
                if actor and one.person in (None, actor.user_id)
            ]
            found = write_together(session, together[0].sheet, [wish for _, wish in known])
    except OperationalError:  # The database is away, or the sheet is held: trying one by one would not help.
        raise
    except DBAPIError:  # Something is wrong with one of them: the others must not suffer for it.
        return outcomes
    for (place, _), outcome in zip(known, found, strict=True):
        outcomes[place] = outcome
    return outcomes


def _answer_alone(asked: Asking) -> Written | Exception:
    try:
        return written_alone(asked)
    except Exception as error:  # noqa: BLE001 - Told to whoever asked, by the handlers of the API.
        return error


writers = OfLoop(written, MOST)
