"""Whatever is done on either side, the links are those of the cells, and both sides show the same."""

import io
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.base.errors import Refused
from core.edits.trash import restore_rows
from core.edits.undo import redo, undo
from core.imports.inspection import inspect as inspect_file
from core.imports.load import import_rows
from core.imports.plan import propose
from tests.conftest import actor
from tests.support.core.two_sheets import DEAL, NAME, TwoSheets, two_sheets

ROWS = st.integers(1, 4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["relate", "mirror"]), ROWS, st.lists(ROWS, max_size=3, unique=True)),
        st.tuples(st.sampled_from(["delete", "restore"]), st.sampled_from(["deals", "accounts"]), ROWS),
        st.tuples(st.sampled_from(["undo", "redo"]), st.sampled_from(["deals", "accounts"]), st.none()),
        st.tuples(st.just("import"), st.sampled_from(["Acme 1", "Acme 2, Acme 3", ""]), st.none()),
    ),
    min_size=1,
    max_size=8,
)


def step(sheets: TwoSheets, action: str, what: Any, value: Any) -> None:
    session, ann = sheets.session, actor("Ann")
    if action == "relate":
        sheets.edit(ann, sheets.deals, what, sheets.account, [*map(str, value)])
    elif action == "mirror":
        sheets.edit(ann, sheets.accounts, what, sheets.mirror, [*map(str, value)])
    elif action == "delete":
        sheets.delete(ann, getattr(sheets, what), value)
    elif action == "restore":
        restore_rows(session, ann, getattr(sheets, what), [value], operation_id=uuid4())
    elif action == "import":
        file = io.BytesIO(f'Deal,Customer\nImported,"{what}"\n'.encode())
        plan = propose(inspect_file(file), get_access(session, ann, sheets.deals))
        import_rows(session, ann, sheets.deals, file, plan, operation_id=uuid4())
    else:
        (undo if action == "undo" else redo)(session, ann, getattr(sheets, what), operation_id=uuid4())


@given(steps=STEPS)
@settings(
    deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_both_sides_and_the_links_agree_after_any_actions(session: Session, steps: list[Any]) -> None:
    sheets, ann = two_sheets(session, actor("Ann")), actor("Ann")
    sheets.add(ann, sheets.accounts, *({NAME: f"Acme {number}"} for number in range(1, 5)))
    sheets.add(ann, sheets.deals, *({DEAL: f"Deal {number}"} for number in range(1, 5)))
    for action, what, value in steps:
        savepoint = session.begin_nested()
        try:
            step(sheets, action, what, value)
            savepoint.commit()
        except Refused:
            savepoint.rollback()
    key = {"sheet": sheets.deals, "key": str(sheets.account), "column": sheets.account}
    assert session.execute(CELLS, key).all() == session.execute(LINKS, key).all()
    deals, accounts = sheets.rows(ann, sheets.deals), sheets.rows(ann, sheets.accounts)
    forth = {(row, int(other["id"])) for row in deals for other in deals[row].get(str(sheets.account), ())}
    back = {(int(other["id"]), row) for row in accounts for other in accounts[row].get(str(sheets.mirror), ())}
    assert forth == back


CELLS = text("""
    SELECT r.row_id, CAST(item.id AS integer), item.place FROM rows r
    CROSS JOIN LATERAL jsonb_array_elements_text(coalesce(r.values -> :key, '[]')) WITH ORDINALITY AS item (id, place)
    WHERE r.sheet_id = :sheet ORDER BY 1, 3
""")
LINKS = text(
    "SELECT row_id, target_row, place FROM links WHERE sheet_id = :sheet AND column_id = :column ORDER BY 1, 3"
)
