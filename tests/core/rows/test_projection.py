"""Every reader of cells takes their values from one projection of the columns that its access shows."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import NotFound
from core.rows.projection import projection
from core.sheets.columns import limit_column

ROOT = Path(__file__).parents[3]
DEAL, AMOUNT = 1, 4
CELLS = '{"1": "Falcon", "4": 12.50, "99": "of a retired column"}'
READS_CELLS = re.compile(r"\bvalues(?:\.expression)?\.cast\(|\bvalues::text")


def test_a_projection_has_the_cells_of_its_columns_only(deals: Access) -> None:
    cells = projection(deals)
    assert cells.stored(CELLS) == {"1": "Falcon", "4": Decimal("12.50")}
    assert cells.wire(CELLS) == {"1": "Falcon", "4": "12.50"}
    some = projection(deals, [deals.column(AMOUNT)])
    assert some.wire(CELLS) == {"4": "12.50"}
    assert some.logged_columns == [0, AMOUNT]
    assert some.title_key == "4"


def test_a_hidden_column_is_in_no_projection(session: Session, deals: Access, ann: Actor, cleo: Actor) -> None:
    limit_column(session, ann, deals.sheet.sheet_id, AMOUNT, {"viewer": "hidden"})
    access = get_access(session, cleo, deals.sheet.sheet_id)
    assert projection(access).wire(CELLS) == {"1": "Falcon"}
    assert AMOUNT not in projection(access).logged_columns
    hidden: ColumnInfo = deals.column(AMOUNT)
    with pytest.raises(NotFound):
        projection(access, [hidden])


def test_each_module_that_reads_cells_takes_them_from_a_projection() -> None:
    readers = {
        str(path.relative_to(ROOT)): "projection" in path.read_text()
        for path in (ROOT / "core").rglob("*.py")
        if READS_CELLS.search(path.read_text())
    }
    assert readers
    assert sorted(name for name, projects in readers.items() if not projects) == []
