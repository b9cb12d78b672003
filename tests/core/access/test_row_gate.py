"""Two sheets in one statement: each passes a gate of its own, so a lookup shows no row that its reader may not see."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Text, and_, select, text
from sqlalchemy.orm import Session, aliased

from core.access.access import Access
from core.access.load import get_access
from core.access.row_gate import scope_sql, visible_sql
from core.base.actor import Actor
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from db.tables.sheets import Row
from tests.conftest import make_deals

DEAL, ACCOUNT, OWNER = 1, 2, 5
ACME = CellInput("Acme")


def add_rows(session: Session, actor: Actor, sheet: int, *cells: dict[int, CellInput]) -> None:
    batch = Batch(adds=tuple(NewRow(str(number), row) for number, row in enumerate(cells)))
    write(session, actor, sheet, batch, operation_id=uuid4(), source=ChangeSource.API)


def share_own_rows(session: Session, sheet: int, user: Actor) -> None:
    statement = """
        INSERT INTO collaborators (sheet_id, user_id, level, row_scope) VALUES (:sheet, :user, 'editor', 'own')
        ON CONFLICT (sheet_id, user_id) DO UPDATE SET level = 'editor', row_scope = 'own'
    """
    session.execute(text(statement), {"sheet": sheet, "user": user.user_id})


@pytest.fixture
def sheets(session: Session, deals: Access, ann: Actor, ben: Actor, dan: Actor) -> tuple[int, int]:
    """Deals and accounts of Ann's, joined by the account's name; Dan sees those of either that are his own."""
    deal_sheet, account_sheet = deals.sheet.sheet_id, make_deals(session).sheet.sheet_id
    dans, bens = CellInput(value=str(dan.user_id)), CellInput(value=str(ben.user_id))
    add_rows(
        session,
        ann,
        deal_sheet,
        {DEAL: CellInput("Dan's deal"), ACCOUNT: ACME, OWNER: dans},
        {DEAL: CellInput("Ben's deal"), ACCOUNT: ACME, OWNER: bens},
    )
    add_rows(
        session,
        ann,
        account_sheet,
        {DEAL: CellInput("Dan's account"), ACCOUNT: ACME, OWNER: dans},
        {DEAL: CellInput("Ben's account"), ACCOUNT: ACME, OWNER: bens},
        {DEAL: CellInput("Nobody's account"), ACCOUNT: ACME},
    )
    for sheet in (deal_sheet, account_sheet):
        share_own_rows(session, sheet, dan)
    return deal_sheet, account_sheet


_LOOKUP = """
    SELECT d.values ->> '1', a.values ->> '1'
    FROM rows d JOIN rows a ON a.values ->> '2' = d.values ->> '2'
    WHERE {} AND {}
    ORDER BY d.row_id, a.row_id
"""


def looked_up_in_text(session: Session, deals: Access, accounts: Access, *, in_trash: bool = False) -> list[Any]:
    gate = scope_sql if in_trash else visible_sql
    statement = text(_LOOKUP.format(gate("d", "deal_"), gate("a", "account_")))
    parameters = deals.row_gate.parameters("deal_") | accounts.row_gate.parameters("account_")
    return [tuple(row) for row in session.execute(statement, parameters)]


def looked_up(session: Session, deals: Access, accounts: Access) -> list[Any]:
    deal, account = aliased(Row), aliased(Row)
    names = [rows.values.op("->>", return_type=Text())(str(DEAL)) for rows in (deal, account)]
    is_of = account.values.op("->>", return_type=Text())("2") == deal.values.op("->>", return_type=Text())("2")
    gates = and_(deals.row_gate.visible_rows(deal), accounts.row_gate.visible_rows(account))
    statement = select(*names).join_from(deal, account, is_of).where(gates).order_by(deal.row_id, account.row_id)
    return [tuple(row) for row in session.execute(statement)]


@pytest.mark.parametrize("look_up", [looked_up_in_text, looked_up])
def test_a_lookup_shows_only_rows_that_its_reader_may_see_in_either_sheet(
    session: Session, sheets: tuple[int, int], ann: Actor, dan: Actor, look_up: Any
) -> None:
    deals, accounts = (get_access(session, dan, sheet) for sheet in sheets)
    assert look_up(session, deals, accounts) == [("Dan's deal", "Dan's account")]
    owned = get_access(session, ann, sheets[0])
    assert look_up(session, owned, accounts) == [("Dan's deal", "Dan's account"), ("Ben's deal", "Dan's account")]
    everything = look_up(session, owned, get_access(session, ann, sheets[1]))
    assert len(everything) == 6


def test_a_deleted_row_of_the_second_sheet_is_shown_to_history_only(
    session: Session, sheets: tuple[int, int], ann: Actor, dan: Actor
) -> None:
    write(session, ann, sheets[1], Batch(deletes=(1,)), operation_id=uuid4(), source=ChangeSource.API)
    deals, accounts = (get_access(session, dan, sheet) for sheet in sheets)
    assert looked_up_in_text(session, deals, accounts) == []
    assert looked_up(session, deals, accounts) == []
    assert looked_up_in_text(session, deals, accounts, in_trash=True) == [("Dan's deal", "Dan's account")]


def test_a_reader_of_own_rows_sees_none_of_a_sheet_without_an_owner_column(
    session: Session, sheets: tuple[int, int], ann: Actor, dan: Actor
) -> None:
    session.execute(text("UPDATE sheets SET settings = '{}' WHERE sheet_id = :sheet"), {"sheet": sheets[1]})
    deals, accounts = (get_access(session, dan, sheet) for sheet in sheets)
    assert looked_up_in_text(session, deals, accounts) == []
    assert looked_up(session, deals, accounts) == []
