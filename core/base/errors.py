"""The errors of commands. The message is shown to the user: one sentence that names the place and what to do."""

from typing import Any


class Refused(Exception):
    """A command that was refused; nothing was written."""

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class NotFound(Refused):
    """The object does not exist, or the actor may not know that it does."""


class NotAllowed(Refused):
    """The actor may see the object but may not do this with it."""


class Invalid(Refused):
    """The input breaks a rule. For a cell, `facts` hold row, column and reason."""


class Conflict(Refused):
    """Another change came first. `facts` hold mine, theirs and original, with author and time."""


class Throttled(Refused):
    """A rate limit was exceeded. `facts["retry_after"]` is the number of seconds to wait."""
