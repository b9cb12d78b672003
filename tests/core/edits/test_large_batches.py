"""The largest batch that is taken holds its sheet for a moment only, however small the edits before it were."""

from time import monotonic
from uuid import uuid4

import pytest

from core.edits.batch import MAX_CELLS, Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from db.engine import transaction
from tests.conftest import actor, make_deals

DEAL = 1
# Others wait less than a second; a machine that is busy with tests gets three times as long. Before, it took twelve.
MOST_SECONDS = 3


@pytest.mark.slow
@pytest.mark.serial
def test_the_largest_batch_is_written_in_linear_time_on_a_connection_that_knows_only_small_ones(database: str) -> None:
    with transaction() as session:
        sheet = make_deals(session).sheet.sheet_id

    def put(**batch: object) -> float:
        began = monotonic()
        with transaction() as session:
            write(session, actor("Ann"), sheet, Batch(**batch), operation_id=uuid4(), source=ChangeSource.API)  # type: ignore[arg-type]
        return monotonic() - began

    half = MAX_CELLS // 2
    for part in range(2):
        put(adds=tuple(NewRow(str(n), {DEAL: CellInput(f"{part} {n}")}) for n in range(half)))
    for n in range(20):  # Statements are planned for good after a few times.
        put(edits=(Edit(1, DEAL, CellInput(f"small {n}")),))
    assert (
        put(edits=tuple(Edit(row, DEAL, CellInput(f"large {row}")) for row in range(1, MAX_CELLS + 1))) < MOST_SECONDS
    )
    assert put(deletes=tuple(range(1, MAX_CELLS + 1))) < MOST_SECONDS
