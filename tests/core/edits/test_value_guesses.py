"""A unique column tells those who do not see all rows of one taken value a request, and not for long."""

import io
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, Throttled
from core.config.rate_settings import RATES
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.trash import restore_rows
from core.edits.undo import undo
from core.edits.write import write
from core.imports.inspection import inspect as inspect_file
from core.imports.load import import_rows
from core.imports.plan import propose
from core.sheets.columns import change_column
from tests.core.access.test_row_scope import ACCOUNT, DEAL, put, share

SECRETS = [f"Secret {n}" for n in range(4)]


@pytest.fixture
def sheet(session: Session, deals: Access, ann: Actor, dan: Actor) -> int:
    """Four rows that Dan does not see, with names that must be unique; he edits his own rows only."""
    number = deals.sheet.sheet_id
    change_column(session, ann, number, ACCOUNT, rules={"unique": True})
    put(
        session,
        ann,
        number,
        adds=tuple(NewRow(name, {DEAL: CellInput("x"), ACCOUNT: CellInput(name)}) for name in SECRETS),
    )
    share(session, number, dan, "editor", "own")
    return number


def new(*accounts: str) -> Batch:
    return Batch(adds=tuple(NewRow(name, {DEAL: CellInput("x"), ACCOUNT: CellInput(name)}) for name in accounts))


def guess(session: Session, dan: Actor, sheet: int, *accounts: str, partial: bool = True) -> list[str]:
    """The values of which the answer says that another row has them."""
    batch = new(*accounts)
    outcome = write(session, dan, sheet, batch, operation_id=uuid4(), source=ChangeSource.API, partial=partial)
    return [one["given"] for one in outcome.refused if "another row has" in one["reason"]]


def test_one_request_names_one_taken_value_and_writes_none_of_the_others(
    session: Session, sheet: int, dan: Actor
) -> None:
    before = get_access(session, dan, sheet).sheet.version
    assert guess(session, dan, sheet, *SECRETS, "Free") == SECRETS[:1]
    assert get_access(session, dan, sheet).sheet.version == before
    with pytest.raises(Invalid) as refused:
        guess(session, dan, sheet, *SECRETS, partial=False)
    assert sum("another row has" in cell["reason"] for cell in refused.value.facts["cells"]) == 1


def test_after_so_many_taken_values_no_further_one_is_looked_up(session: Session, sheet: int, dan: Actor) -> None:
    for _ in range(RATES["taken"].amount):
        assert guess(session, dan, sheet, SECRETS[1]) == SECRETS[1:2]
    for account in (SECRETS[1], "Free"):
        with pytest.raises(Throttled):
            guess(session, dan, sheet, account)


def test_what_somebody_sees_is_named_to_them_as_before(session: Session, sheet: int, ann: Actor, dan: Actor) -> None:
    put(session, dan, sheet, adds=new("Mine", "Mine too").adds)
    assert guess(session, dan, sheet, "mine", "mine too") == ["mine", "mine too"]
    assert guess(session, ann, sheet, "other") == []
    outcome = write(session, ann, sheet, new(*SECRETS), operation_id=uuid4(), source=ChangeSource.API, partial=True)
    assert len(outcome.refused) == len(SECRETS)


def test_rows_that_come_back_name_one_taken_value_at_most(session: Session, sheet: int, ann: Actor, dan: Actor) -> None:
    mine = [added["row"] for added in put(session, dan, sheet, adds=new("A", "B", "C").adds).added]
    put(session, dan, sheet, deletes=tuple(mine))
    put(session, ann, sheet, adds=new("A", "B", "C").adds)
    outcome = restore_rows(session, dan, sheet, mine, operation_id=uuid4(), partial=True)
    said = [("another row has" in one["reason"], "not tried" in one["reason"]) for one in outcome.refused]
    assert said == [(True, False), (False, True), (False, True)]
    left = undo(session, dan, sheet, operation_id=uuid4()).left
    assert sum("another row has" in one["reason"] for one in left) == 1


def test_an_import_names_one_taken_value_at_most(session: Session, sheet: int, dan: Actor) -> None:
    file = io.BytesIO(("Deal,Account\n" + "".join(f"x,{name}\n" for name in SECRETS)).encode())
    plan = propose(inspect_file(file), get_access(session, dan, sheet))
    with pytest.raises(Invalid, match="in the sheet already") as refused:
        import_rows(session, dan, sheet, file, plan, operation_id=uuid4())
    assert len(refused.value.facts["values"]) == 1


def test_an_import_with_the_same_operation_id_and_another_file_is_refused(
    session: Session, sheet: int, ann: Actor
) -> None:
    from core.base.errors import Conflict

    operation, access = uuid4(), get_access(session, ann, sheet)
    files = [io.BytesIO(f"Deal,Account\nx,{name}\n".encode()) for name in ("One", "Two")]
    plan = propose(inspect_file(files[0]), access)
    first = import_rows(session, ann, sheet, files[0], plan, operation_id=operation)
    assert import_rows(session, ann, sheet, files[0], plan, operation_id=operation) == first
    with pytest.raises(Conflict):
        import_rows(session, ann, sheet, files[1], plan, operation_id=operation)


def test_a_chain_of_unique_values_whose_first_is_refused_is_refused_whole_in_one_look(
    session: Session, sheet: int, ann: Actor
) -> None:
    put(session, ann, sheet, adds=new("Last").adds)
    shifted = ["Last", *SECRETS[:3]]
    edits = tuple(Edit(row, ACCOUNT, CellInput(name)) for row, name in enumerate(shifted, 1))
    outcome = write(
        session, ann, sheet, Batch(edits=edits), operation_id=uuid4(), source=ChangeSource.GRID, partial=True
    )
    assert [one["row"] for one in outcome.refused] == [1, 2, 3, 4]
    assert outcome.saved == []
