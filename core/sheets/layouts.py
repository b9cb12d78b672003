"""Layouts: how one person likes one sheet (widths, hidden columns, order, the view last used), remembered for them."""

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access.access import Access, get_access
from core.base.actor import Actor
from core.base.errors import Invalid
from db.tables.sheets import SheetLayout

PARTS = ("widths", "hidden", "order", "view", "frozen")
MAX_ENTRIES = 1000
MAX_CHARACTERS = 100_000


def layout(session: Session, access: Access) -> dict[str, Any]:
    """Return this person's layout of the sheet; empty if they never changed it. Raise NotAllowed for a visitor."""
    layouts = select(SheetLayout.layout).where(
        SheetLayout.sheet_id == access.sheet.sheet_id, SheetLayout.user_id == access.actor.user_id
    )
    return session.scalar(layouts) or {}


def remember_layout(session: Session, actor: Actor, sheet_id: int, changes: dict[str, Any]) -> dict[str, Any]:
    """Change parts of this person's layout and keep the rest."""
    if unknown := set(changes) - set(PARTS):
        raise Invalid(f"A layout has no “{min(unknown)}”; it has {', '.join(PARTS)}.")
    if any(len(part) > MAX_ENTRIES for part in changes.values() if isinstance(part, dict | list)):
        raise Invalid(f"A part of a layout has at most {MAX_ENTRIES} entries.")
    kept = layout(session, get_access(session, actor, sheet_id)) | changes
    told = json.dumps(kept, default=str)
    if len(told) > MAX_CHARACTERS:
        raise Invalid(f"A layout has at most {MAX_CHARACTERS:,} characters as JSON.")
    if "\\u0000" in told:
        raise Invalid("A layout cannot have the character NUL in it.")
    row = {"user_id": actor.user_id, "sheet_id": sheet_id, "layout": kept}
    session.execute(
        insert(SheetLayout)
        .values(**row)
        .on_conflict_do_update(index_elements=["user_id", "sheet_id"], set_={"layout": kept})
    )
    return kept
