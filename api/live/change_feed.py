"""Followers: whoever asks what changed while others are being answered is answered together with them.

One edit wakes everybody who looks at a sheet, and they all ask at once, most of them the same. One thread and a
statement or two answer them all, so that the answer to whoever edits does not wait for theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Response
from sqlalchemy.orm import Session

from api.auth.principal import LinkOver, NotSignedIn, principal_of, session_of
from api.auth.request import Asker
from api.http.responses import answered_with, content_of
from api.live.batching import PerLoopBatcher
from core.access.access import Access, get_access
from core.access.cache import enter_together, forget, keep, recalled
from core.base.actor import Actor
from core.base.errors import Refused
from core.base.permissions import Permission
from core.history.changes_since import changes_for, changes_since
from db.engine import snapshot, transaction

MOST = 100


@dataclass(frozen=True)
class Question:
    """Who asks, and since which version of which sheet."""

    asker: Asker
    sheet: int
    since: int


Answered = Response | Exception


# Whoever is of one level, sees the same cells of a sheet and asks since the same version is told the same.
Alike = tuple[str, str, int]


def answered(questions: Sequence[Question]) -> list[Answered]:
    """What changed, for each of them by what they may see; an error for whoever may not ask."""
    answers = _answer_known(questions)
    strangers = [place for place in range(len(questions)) if place not in answers]
    if strangers:
        answers |= zip(strangers, _answer_strangers([questions[place] for place in strangers]), strict=True)
    return [answers[place] for place in range(len(questions))]


def _answer_known(questions: Sequence[Question]) -> dict[int, Answered]:
    """Those who are remembered, by place, where it is still true: a statement for all who are told the same."""
    answers: dict[int, Answered] = {}
    with transaction() as session:
        groups: dict[Alike, dict[int, Access]] = {}
        for place, one in enumerate(questions):
            access = recalled(session, session_of(one.asker.headers), one.sheet)
            if access and access.owners is None:  # Whose rows they see now, only entering tells.
                groups.setdefault((access.level.value, access.scope, one.since), {})[place] = access
        for (_, _, since), group in groups.items():
            found = changes_for(session, [*group.values()], since)
            told = next((content_of(changes.as_json()) for changes in found if changes), b"")
            for (place, access), changes in zip(group.items(), found, strict=True):
                if changes:
                    answers[place] = answered_with(told)
                else:
                    forget(session, access.actor.session_id, access.sheet.sheet_id)
    return answers


def _answer_strangers(questions: Sequence[Question]) -> list[Answered]:
    """Everybody else: they enter, in one statement, and are remembered."""
    with snapshot() as session:
        actors = enter_together(
            session, [(session_of(one.asker.headers), one.sheet, one.asker.address) for one in questions]
        )
        told = dict[tuple[Alike, int], bytes]()
        return [_answer(session, one, actor, told) for one, actor in zip(questions, actors, strict=True)]


def _answer(
    session: Session, question: Question, actor: Actor | None, told: dict[tuple[Alike, int], bytes]
) -> Answered:
    try:
        # A personal token names no session, nor does the visitor of a link.
        asker = question.asker
        principal = actor or principal_of(session, asker.headers, address=asker.address, only_reads=True)
        access = get_access(session, principal, question.sheet, Permission.ROWS_SEE)
    except (NotSignedIn, LinkOver, Refused) as refusal:
        return refusal
    keep(session, access)
    key = (access.level.value, access.scope, question.since), access.sheet.version
    if key not in told:
        told[key] = content_of(changes_since(session, access, question.since).as_json())
    return answered_with(told[key])


followers = PerLoopBatcher(answered, MOST)
