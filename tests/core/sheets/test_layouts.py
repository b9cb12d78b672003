"""Layouts: what is remembered of how somebody likes a sheet is bounded, whatever a program sends."""

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid
from core.sheets.layouts import MAX_CHARACTERS, layout, save_layout


@pytest.mark.parametrize(
    ("view", "reason"),
    [({"search": "a\x00b"}, "NUL"), ({"search": "a" * MAX_CHARACTERS}, "at most 100,000 characters")],
)
def test_what_cannot_or_should_not_be_kept_is_refused(
    session: Session, deals: Access, ann: Actor, view: dict[str, str], reason: str
) -> None:
    with pytest.raises(Invalid, match=reason):
        save_layout(session, ann, deals.sheet.sheet_id, {"view": view})
    assert layout(session, get_access(session, ann, deals.sheet.sheet_id)) == {}
