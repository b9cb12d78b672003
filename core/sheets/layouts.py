"""Layouts: a person's settings of one sheet's grid (widths, order, groups, totals, last view, …)."""

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid
from db.tables.sheets import SheetLayout

KEYS = ("widths", "hidden", "order", "view", "frozen", "groups", "totals", "colors")
MAX_ENTRIES = 1000
MAX_CHARACTERS = 100_000


def layout(session: Session, access: Access) -> dict[str, Any]:
    """Return this person's layout of the sheet; empty if they never changed it. Raise NotAllowed for a visitor."""
    layouts = select(SheetLayout.layout).where(
        SheetLayout.sheet_id == access.sheet.sheet_id, SheetLayout.user_id == access.actor.user_id
    )
    return session.scalar(layouts) or {}


def save_layout(session: Session, actor: Actor, sheet_id: int, changes: dict[str, Any]) -> dict[str, Any]:
    """Change these keys of the actor's layout and return the whole layout. Raises Invalid."""
    if unknown := set(changes) - set(KEYS):
        raise Invalid(f"“{min(unknown)}” isn't a key of a layout. The keys are {', '.join(KEYS)}.")
    if any(len(value) > MAX_ENTRIES for value in changes.values() if isinstance(value, dict | list)):
        raise Invalid(f"Each key of a layout has at most {MAX_ENTRIES} entries.")
    merged = layout(session, get_access(session, actor, sheet_id)) | changes
    encoded = json.dumps(merged, default=str)
    if len(encoded) > MAX_CHARACTERS:
        raise Invalid(f"A layout has at most {MAX_CHARACTERS:,} characters as JSON.")
    if "\\u0000" in encoded:
        raise Invalid("A layout can't contain the NUL character.")
    row = {"user_id": actor.user_id, "sheet_id": sheet_id, "layout": merged}
    session.execute(
        insert(SheetLayout)
        .values(**row)
        .on_conflict_do_update(index_elements=["user_id", "sheet_id"], set_={"layout": merged})
    )
    return merged
