"""Two sheets, one reader: whatever they may not see of one tells nothing on any path through the other.

Each route that reads a sheet is asked before and after the other sheet's owner has written what the reader may not
see there. The answers are the same, byte for byte. A new route joins by its line in the matrix of routes.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.base.permissions import Level, RowScope
from core.column_types import column_type
from core.config.rate_settings import RATES
from core.limits.rate_limits import configure_limits
from core.sharing.shares import share_sheet
from core.sheets.columns import NewColumn, add_column, limit_column
from core.sheets.sheets import archive_sheet
from tests.api.conftest import Person, make_app, sign_in
from tests.api.security.test_route_matrix import ROUTES, SHEET, VIEW, Case, Visiting
from tests.api.test_links import open_as_visitor
from tests.conftest import actor, rolled_back
from tests.support.core.two_sheets import AMOUNT, DEAL, NAME, TwoSheets, two_sheets

STAGE, OWNER_OF_DEAL = 3, 5
SECRET = "Zebra"


def prepare(session: Session) -> TwoSheets:
    """Accounts with the mirror of a relation and lookups over it; the deals are Ben's, but for what is secret later."""
    ann, ben = actor("Ann"), actor("Ben")
    sheets = two_sheets(session, ann)
    for summary, column in (("sum", AMOUNT), ("count", DEAL), ("list", DEAL), ("max", AMOUNT), ("first", STAGE)):
        rules = {"relation": sheets.mirror, "column": column, "summary": summary}
        add_column(session, ann, sheets.accounts, NewColumn(f"{summary} {column}", "lookup", rules))
    won = [{"column": STAGE, "op": "is_any_of", "value": ["o5"]}]
    rules = {"relation": sheets.mirror, "column": AMOUNT, "summary": "sum", "filter": won}
    add_column(session, ann, sheets.accounts, NewColumn("Won", "lookup", rules))
    sheets.add(ann, sheets.accounts, {NAME: "Acme"}, {NAME: "Bolt"})
    mine = {OWNER_OF_DEAL: str(ben.user_id), sheets.account: ["1"]}
    sheets.add(ann, sheets.deals, {DEAL: "Known", AMOUNT: "5", STAGE: "o1", **mine})
    share_sheet(session, ann, sheets.accounts, ben.user_id, level=Level.EDITOR)
    return sheets


def more_deals(sheets: TwoSheets) -> None:
    """Rows that are not the reader's, for the account that has none, and for the other."""
    ann = actor("Ann")
    row = {DEAL: SECRET, AMOUNT: "777", STAGE: "o5", OWNER_OF_DEAL: str(ann.user_id)}
    sheets.add(ann, sheets.deals, {**row, sheets.account: ["1", "2"]}, {**row, sheets.account: ["2"]})


def deals_of_the_reader(sheets: TwoSheets) -> None:
    """Rows that would be the reader's, if they might see the sheet."""
    row = {DEAL: SECRET, AMOUNT: "777", STAGE: "o5", OWNER_OF_DEAL: str(actor("Ben").user_id)}
    sheets.add(actor("Ann"), sheets.deals, {**row, sheets.account: ["1", "2"]})


def other_cell(column: int, value: Any) -> Callable[[TwoSheets], None]:
    """Another value in a cell of the reader's own row."""

    def change(sheets: TwoSheets) -> None:
        sheets.edit(actor("Ann"), sheets.deals, 1, sheets.account if column == 0 else column, value)

    return change


def share_deals(sheets: TwoSheets, *hidden: int, scope: RowScope = RowScope.ALL) -> None:
    ann, ben = actor("Ann"), actor("Ben")
    share_sheet(sheets.session, ann, sheets.deals, ben.user_id, level=Level.EDITOR, row_scope=scope)
    for column in hidden:
        column_id = sheets.account if column == 0 else column
        limit_column(sheets.session, ann, sheets.deals, column_id, {"editor": "hidden"})


def archived(sheets: TwoSheets) -> None:
    share_deals(sheets)
    archive_sheet(sheets.session, actor("Ann"), sheets.deals)


# Who may not see what, and what is then written that they may not know of. 0 is the relation itself.
READERS: dict[str, tuple[Callable[[TwoSheets], Any], Callable[[TwoSheets], None]]] = {
    "no share of the sheet": (lambda _: None, deals_of_the_reader),
    "own rows": (lambda sheets: share_deals(sheets, scope=RowScope.OWN), more_deals),
    "hidden amount": (lambda sheets: share_deals(sheets, AMOUNT), other_cell(AMOUNT, "777")),
    "hidden title": (lambda sheets: share_deals(sheets, DEAL), other_cell(DEAL, SECRET)),
    "hidden stage, also of a filter": (lambda sheets: share_deals(sheets, STAGE), other_cell(STAGE, "o5")),
    "hidden relation": (lambda sheets: share_deals(sheets, 0), other_cell(0, ["2"])),
    "visitor of a link": (share_deals, deals_of_the_reader),
}


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest, shared_engine: Engine, own_settings: None) -> Iterator[Any]:
    share, write_secret = READERS[request.param]
    shared_engine.dispose()
    with rolled_back(shared_engine) as session:
        sheets = prepare(session)
        share(sheets)
        with TestClient(make_app(), base_url="http://localhost", raise_server_exceptions=False) as client:
            person = sign_in(client, "Ben", sheets.accounts)
            if request.param == "visitor of a link":
                visit = open_as_visitor(client, sheets.accounts)
                person = Visiting(client, "", sheets.accounts, headers=visit.headers)
            yield session, sheets, person, write_secret


def paths(session: Session, sheets: TwoSheets) -> Iterator[tuple[str, Case]]:
    """Every route that reads the sheet, as the matrix asks it, and every column in sorts, filters and totals."""
    for name, cases in ROUTES.items():
        if name.startswith(f"GET {SHEET}"):
            for case in cases if isinstance(cases, list) else [cases]:
                ids = {"row": 1, "column": sheets.mirror, "view": VIEW} | {key: 1 for key in case.ids if key == "link"}
                yield name, Case(case.profile, query=case.query, ids={**case.ids, **ids})
    columns = get_access(session, actor("Ann"), sheets.accounts).columns
    views: list[dict[str, Any]] = [{"search": text} for text in (SECRET, "777", "Known", "Won", "Row 2")]
    totals = []
    for column in columns:
        identity, kind = column.column_id, column_type(column.type)
        if not column.is_computed:
            continue
        values = {
            "none": None,
            "many": ["1", "2", "3"],
            "two": ["1", "900"],
            "one": "777" if kind.is_number else SECRET,
        }
        views += [{"sort": [{"column": identity, "descending": descending}]} for descending in (True, False)]
        views += [
            {"filter": [{"column": identity, "op": op, "value": values[row_filter.takes]}]}
            for op, row_filter in kind.filters.items()
        ]
        totals += [
            {"column": identity, "function": function} for function in ("filled", "empty", "unique", "sum", "max")
        ]
    for view in views:
        query = "&".join(f"{key}={json.dumps(value) if key != 'search' else value}" for key, value in view.items())
        for route in ("rows", "order", "export"):
            yield f"GET {SHEET}/{route}", Case("may visit", query=query)
    for total in totals:
        query = f"totals={json.dumps([total])}"
        yield f"GET {SHEET}/totals", Case("may visit", query=query)


def answers(session: Session, sheets: TwoSheets, person: Person) -> dict[str, tuple[int, str]]:
    """The answer of each path, without the token of an order, which is random."""
    found = {}
    for name, case in paths(session, sheets):
        path = name.removeprefix("GET ").format(**{"sheet": person.sheet, "link": person.link} | case.ids)
        headers = {"Authorization": f"Bearer {person.token}"} if person.token else getattr(person, "headers", {})
        configure_limits(RATES)
        response = person.client.get(f"/api{path}?{case.query}", headers=headers)
        assert response.status_code < 500, (name, case, response.text)
        found[f"{name}?{case.query}"] = (response.status_code, re.sub(r'"order":"[^"]*"', "", response.text))
    return found


def test_what_a_reader_may_not_see_of_a_related_sheet_tells_nothing_on_any_path(reader: Any) -> None:
    session, sheets, person, write_secret = reader
    before = answers(session, sheets, person)
    assert sum(status == 200 for status, _ in before.values()) > 40
    write_secret(sheets)
    after = answers(session, sheets, person)
    assert {path: (before[path], after[path]) for path in before if before[path] != after[path]} == {}
    assert SECRET not in str([text for path, (_, text) in after.items() if SECRET not in path])
