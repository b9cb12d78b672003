"""The four kinds of refusal. Their message is for the person who acts: one sentence with the place and the way out."""

from typing import Any


class Refused(Exception):
    """A command that was not carried out; nothing was written."""

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class NotFound(Refused):
    """There is no such thing, or this actor may not know that there is."""


class NotAllowed(Refused):
    """The actor sees the thing and may not do this to it."""


class Invalid(Refused):
    """The input breaks a rule. `facts` carry row, column and reason where a cell is meant."""


class Conflict(Refused):
    """Somebody was faster. `facts` carry mine, theirs and original, with who and when."""


class Throttled(Refused):
    """Too many attempts; `facts["retry_after"]` says in how many seconds to try again."""
