"""Followers: whoever asks what changed while others are being answered is answered together with them.

One edit wakes everybody who looks at a sheet, and they all ask at once, most of them the same. One thread and a
statement or two answer them all, so that the answer to whoever edits does not wait for theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Response
from sqlalchemy.orm import Session

from api.answers import answered_with, content_of
from api.identity import LinkOver, NotSignedIn, principal_of, session_of
from api.together import OfLoop
from api.v1.asked import Asker
from core.access import get_access
from core.actor import Actor
from core.entering import enter_together
from core.errors import Refused
from core.permissions import Permission
from core.sync import changes_since
from db.engine import snapshot

MOST = 100


@dataclass(frozen=True)
class Question:
    """Who asks, and since which version of which sheet."""

    asker: Asker
    sheet: int
    since: int


Answered = Response | Exception


def answered(questions: Sequence[Question]) -> list[Answered]:
    """What changed, for each of them by what they may see; an error for whoever may not ask."""
    with snapshot() as session:
        actors = enter_together(
            session, [(session_of(one.asker.headers), one.sheet, one.asker.address) for one in questions]
        )
        told = dict[Told, bytes]()
        return [_answer(session, one, actor, told) for one, actor in zip(questions, actors, strict=True)]


# Whoever is of one level, sees the same cells of a sheet and asks since the same version is told the same.
Told = tuple[str, str, int, int]


def _answer(session: Session, question: Question, actor: Actor | None, told: dict[Told, bytes]) -> Answered:
    try:
        # A personal token names no session, nor does the visitor of a link.
        asker = question.asker
        principal = actor or principal_of(session, asker.headers, address=asker.address, only_reads=True)
        access = get_access(session, principal, question.sheet, Permission.ROWS_SEE)
    except (NotSignedIn, LinkOver, Refused) as refusal:
        return refusal
    key = access.level.value, access.scope, access.sheet.version, question.since
    if key not in told:
        told[key] = content_of(changes_since(session, access, question.since).as_json())
    return answered_with(told[key])


followers = OfLoop(answered, MOST)
