"""Changes of rows without a plan, for tests that need a row back, or a log of a certain shape."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from core.base.actor import Actor
from core.edits.operation import ChangeSource, RowChanges, carry_out


def change_rows(
    session: Session, actor: Actor, sheet: int, *, operation: UUID | None = None, **changes: Any
) -> dict[str, Any]:
    """Change rows as one version: edits {row: JSON}, adds [JSON], deletes [row], restores [row]."""
    return carry_out(
        session,
        actor,
        sheet,
        lambda one: one.finish(RowChanges(**{"edits": {}, **changes}), lambda version: {"version": version}),
        operation_id=operation or uuid4(),
        source=ChangeSource.UNDO,
        request=b"",
        needs=[],
    )
