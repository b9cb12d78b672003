"""A public link of a view: its visitor reaches no row outside of the filter and no hidden column, however they ask."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy.orm import Session
from starlette.websockets import WebSocketDisconnect

from api.live.socket import NO_RIGHT
from core.access.link_view import VIEW_BROKEN, VIEW_DELETED
from core.base.errors import NotFound
from core.config.rate_settings import RATES, Rate
from core.limits.rate_limits import configure_limits
from core.sharing.public_link_visits import open_link
from core.sharing.public_links import change_link, create_link, public_links
from core.sheets.columns import NewColumn, add_column, limit_column, retire_column
from core.sheets.sheets import configure_pipeline
from core.views.edit_views import change_settings, create_view, delete_view, save_for_everyone, share_view
from db.engine import transaction
from tests.api.conftest import ACCOUNT, AMOUNT, CLOSE, DEAL, OWNER, STAGE, People, Person
from tests.api.test_links import Visit, live, next_of, open_as_visitor
from tests.conftest import actor
from tests.support.core.two_sheets import CITY, NAME, two_sheets

BIG = [{"column": AMOUNT, "op": "gt", "value": "1000"}]
# What stands in rows that the filter does not let through, and in a column that the view hides.
OUTSIDE = ("Tiny deal", "Lost & found", "Secret Ltd", "Ben")
SEEN = {"Acme", "Bolt"}


def with_view(people: People, **settings: Any) -> tuple[Person, int]:
    """Four deals, two of them in the view; it hides the account, and the amount by which it filters."""
    ann = people("Ann")
    ann.add(
        {DEAL: "Acme", AMOUNT: "5000", ACCOUNT: "Secret Ltd", STAGE: "o1"},
        {DEAL: "Tiny deal", AMOUNT: "10", ACCOUNT: "Secret Ltd", OWNER: str(actor("Ben").user_id)},
        {DEAL: "Bolt", AMOUNT: "2000", CLOSE: "2026-11-20"},
        {DEAL: "Lost & found"},
    )
    settings = {"filter": BIG, "hidden": [ACCOUNT, AMOUNT], "sort": [{"column": DEAL, "descending": True}]} | settings
    with transaction() as session:
        view = create_view(session, actor("Ann"), ann.sheet, "Big deals", settings=settings, is_shared=True)
    return ann, view.view_id


@pytest.fixture
def big(people: People) -> tuple[Person, int, Visit]:
    ann, view = with_view(people)
    return ann, view, open_as_visitor(ann.client, ann.sheet, view=view, may_export=True)


@pytest.fixture(autouse=True)
def without_limits(nothing_counted_yet: None) -> None:
    """Visitors may export as often as a test asks for it."""
    configure_limits(dict.fromkeys(RATES, Rate(10_000, 60)))


def names(answer: httpx.Response) -> list[str]:
    return [row["values"][str(DEAL)] for row in answer.json()["rows"]]


def hostile() -> Iterator[tuple[str, dict[str, str]]]:
    """Every route that a link may use, with whatever could lead around the view."""
    everything = json.dumps([{"column": DEAL, "op": "is_not_empty"}])
    for path in ("/rows", "/order", "/export"):
        yield path, {}
        yield path, {"filter": everything}
        yield path, {"filter": json.dumps({"any": [{"column": DEAL, "op": "is_not_empty"}]})}
        yield path, {"filter": json.dumps([{"column": 0, "op": "is_not_empty"}])}
        yield path, {"search": "tiny"}
        yield path, {"search": "secret"}
        yield path, {"sort": f"-{CLOSE},{DEAL}"}
        for column in (AMOUNT, ACCOUNT):
            yield path, {"sort": f"{column}"}
            yield path, {"filter": json.dumps([{"column": column, "op": "is_not_empty"}])}
            yield path, {"filter": json.dumps([{"column": column, "op": "is_empty"}])}
        yield path, {"view": "1"}
        yield path, {"as_of": "version:1"}
    for limit, offset in ((1, 0), (1000, 0), (1000, 1), (1000, 2)):
        yield "/rows", {"limit": str(limit), "offset": str(offset)}
    for row in range(1, 6):
        yield f"/rows/{row}", {}
    for column in (DEAL, STAGE, OWNER, AMOUNT, ACCOUNT):
        for function in ("sum", "filled", "empty", "unique", "max"):
            yield "/totals", {"totals": json.dumps([{"column": column, "function": function}])}
        groups = json.dumps([{"column": column, "descending": False}])
        yield "/totals", {"groups": groups}
        yield "/order", {"groups": groups}
    for views in ([{}], [{"search": "tiny"}], [{"filter": BIG}], [{"filter": json.loads(everything)}]):
        yield "/matches", {"rows": "1,2,3,4,5", "views": json.dumps(views)}
    for since in range(6):
        yield "/changes", {"since": str(since)}
    for columns in (f"{ACCOUNT}", f"{DEAL},{AMOUNT}", f"{DEAL},{STAGE}"):
        yield "/export", {"columns": columns}
    for form in ("xlsx", "parquet"):
        yield "/export", {"format": form, "columns": f"{AMOUNT}"}
    yield "", {}


def test_no_request_of_a_visitor_reaches_what_the_view_leaves_out(big: tuple[Person, int, Visit]) -> None:
    _, _, visit = big
    answers = [(path, query, visit.ask("GET", f"/sheets/{{sheet}}{path}", params=query)) for path, query in hostile()]
    assert {answer.status_code for *_, answer in answers} <= {200, 403, 404, 422}
    for path, query, answer in answers:
        if answer.status_code == 200:
            assert not [word for word in (*OUTSIDE, "Account", "Amount", "5000") if word in answer.text], (path, query)
    fine = {path for path, _, answer in answers if answer.status_code == 200}
    assert fine >= {"", "/rows", "/order", "/export", "/changes", "/totals", "/matches", "/rows/1", "/rows/3"}
    assert not fine & {"/rows/2", "/rows/4", "/rows/5"}
    matches = [answer.json()["matches"] for path, _, answer in answers if path == "/matches" and answer.is_success]
    assert {row for rows_by_view in matches for rows in rows_by_view for row in rows} == {1, 3}
    totals = [answer.json() for path, _, answer in answers if path == "/totals" and answer.is_success]
    assert {(total["rows"], total["all_rows"]) for total in totals} == {(2, 2)}
    assert not {key for total in totals for key in total["totals"] if key.startswith((f"{AMOUNT}:", f"{ACCOUNT}:"))}


def test_a_visitor_reads_exactly_the_rows_and_columns_of_the_view(big: tuple[Person, int, Visit]) -> None:
    _, _, visit = big
    assert set(names(visit.ask("GET", "/sheets/{sheet}/rows"))) == SEEN
    assert visit.ask("GET", "/sheets/{sheet}/order").json()["total"] == 2
    columns = {column["name"] for column in visit.ask("GET", "/sheets/{sheet}").json()["columns"]}
    assert not columns & {"Account", "Amount"}
    lines = [*csv.DictReader(io.StringIO(visit.ask("GET", "/sheets/{sheet}/export").text))]
    assert {line["Deal"] for line in lines} == SEEN
    assert set(lines[0]) == columns


def test_pages_by_cursor_and_by_order_end_with_the_view(big: tuple[Person, int, Visit]) -> None:
    _, _, visit = big
    seen, cursor = list[str](), ""
    while True:
        query = {"limit": "1", "sort": f"{DEAL}"} | ({"cursor": cursor} if cursor else {})
        page = visit.ask("GET", "/sheets/{sheet}/rows", params=query)
        seen += names(page)
        if not (cursor := page.json()["next_cursor"]):
            break
    assert seen == ["Acme", "Bolt"]


def test_the_order_of_another_reader_is_not_a_visitors(big: tuple[Person, int, Visit]) -> None:
    ann, _, visit = big
    token = ann.get("/sheets/{sheet}/order")["order"]
    answer = visit.ask("GET", "/sheets/{sheet}/rows", params={"order": token, "offset": "0"})
    assert answer.status_code == 410


def test_two_links_of_one_sheet_do_not_share_what_is_cached(big: tuple[Person, int, Visit]) -> None:
    ann, _, visit = big
    whole = open_as_visitor(ann.client, ann.sheet)
    for _ in range(3):
        query = {"sort": f"{DEAL}"}
        assert len(names(whole.ask("GET", "/sheets/{sheet}/rows", params=query))) == 4
        assert len(names(visit.ask("GET", "/sheets/{sheet}/rows", params=query))) == 2
    assert whole.ask("GET", "/sheets/{sheet}/order").json()["total"] == 4


def test_a_row_leaves_and_joins_the_view_of_a_visitor_as_it_changes(big: tuple[Person, int, Visit]) -> None:
    ann, _, visit = big
    since = str(visit.ask("GET", "/sheets/{sheet}").json()["version"])
    ann.edit(1, AMOUNT, "5")
    ann.edit(4, AMOUNT, "9000")
    changes = visit.ask("GET", "/sheets/{sheet}/changes", params={"since": since}).json()
    assert (changes["reset"], changes["rows"]) == (True, [])
    assert set(names(visit.ask("GET", "/sheets/{sheet}/rows"))) == {"Bolt", "Lost & found"}
    assert visit.ask("GET", "/sheets/{sheet}/rows/1").status_code == 404


def test_names_of_people_are_those_in_the_rows_of_the_view(big: tuple[Person, int, Visit]) -> None:
    ann, _, visit = big
    assert visit.ask("GET", "/sheets/{sheet}").json()["people"] == {}
    ann.edit(1, OWNER, str(actor("Cleo").user_id))
    assert visit.ask("GET", "/sheets/{sheet}").json()["people"] == {str(actor("Cleo").user_id): "Cleo"}


def test_a_filter_may_use_a_column_that_links_never_show(big: tuple[Person, int, Visit]) -> None:
    ann, _, visit = big
    with transaction() as session:
        limit_column(session, actor("Ann"), ann.sheet, AMOUNT, {"link": "hidden"})
    assert set(names(visit.ask("GET", "/sheets/{sheet}/rows"))) == SEEN


def test_what_is_saved_for_everyone_holds_for_the_next_request(big: tuple[Person, int, Visit]) -> None:
    ann, view, visit = big
    tag = visit.ask("GET", "/sheets/{sheet}/rows").headers["ETag"]
    own = {"filter": [{"column": DEAL, "op": "is", "value": "Acme"}], "hidden": [ACCOUNT, AMOUNT, STAGE]}
    with transaction() as session:
        change_settings(session, actor("Ann"), ann.sheet, view, own)
    assert len(names(visit.ask("GET", "/sheets/{sheet}/rows"))) == 2
    with transaction() as session:
        save_for_everyone(session, actor("Ann"), ann.sheet, view)
    answer = visit.ask("GET", "/sheets/{sheet}/rows", headers={"If-None-Match": tag})
    assert names(answer) == ["Acme"]
    assert str(STAGE) not in answer.json()["rows"][0]["values"]


def test_a_link_whose_view_is_deleted_says_so_and_shows_nothing(big: tuple[Person, int, Visit]) -> None:
    ann, view, visit = big
    with transaction() as session:
        _, token = create_link(session, actor("Ann"), ann.sheet, view=view)
        delete_view(session, actor("Ann"), ann.sheet, view)
    for path, query in hostile():
        assert visit.ask("GET", f"/sheets/{{sheet}}{path}", params=query).status_code in {401, 422}
    with pytest.raises(NotFound, match=VIEW_DELETED):
        open_link(transaction, token, address="192.0.2.9")
    with transaction() as session:
        links = public_links(session, actor("Ann"), ann.sheet)
    assert [(link.lives, link.view, link.view_name) for link in links] == [(False, view, None)] * 2


def test_a_link_ends_with_a_filter_that_is_not_valid_any_more(big: tuple[Person, int, Visit]) -> None:
    """Without the condition it would show every row."""
    ann, _, visit = big
    with transaction() as session:
        configure_pipeline(session, actor("Ann"), ann.sheet, {})
        retire_column(session, actor("Ann"), ann.sheet, AMOUNT)
    answer = visit.ask("GET", "/sheets/{sheet}/rows")
    assert (answer.status_code, answer.json()["detail"]) == (404, VIEW_BROKEN)
    assert {visit.ask("GET", f"/sheets/{{sheet}}{path}", params=query).status_code for path, query in hostile()} <= {
        *(403, 404, 422)
    }


def test_the_owner_chooses_what_a_link_shows(people: People) -> None:
    ann, view = with_view(people)
    made = ann.ask("POST", "/sheets/{sheet}/links", json={"name": "Partner", "view": view})
    assert made.status_code == 201
    (link,) = ann.get("/sheets/{sheet}/links")["links"]
    assert (link["view"], link["view_name"]) == (view, "Big deals")
    path = f"/sheets/{{sheet}}/links/{made.json()['id']}"
    (link,) = ann.ask("PATCH", path, json={"view": None}).json()["links"]
    assert (link["view"], link["view_name"]) == (None, None)
    with transaction() as session:
        other = create_view(session, actor("Ben"), ann.sheet, "Of Ben").view_id
    for number in (other, 999_999):
        assert ann.ask("PATCH", path, json={"view": number}).status_code == 422
        assert ann.ask("POST", "/sheets/{sheet}/links", json={"view": number}).status_code == 422


def test_a_link_that_is_pointed_at_a_view_binds_visitors_who_have_it_open(people: People, session: Session) -> None:
    ann, view = with_view(people)
    visit = open_as_visitor(ann.client, ann.sheet)
    assert len(names(visit.ask("GET", "/sheets/{sheet}/rows"))) == 4
    with transaction() as session:
        change_link(session, actor("Ann"), ann.sheet, visit.link, view=view)
    assert set(names(visit.ask("GET", "/sheets/{sheet}/rows"))) == SEEN


def test_a_view_that_becomes_ones_own_is_still_what_its_link_shows(big: tuple[Person, int, Visit]) -> None:
    ann, view, visit = big
    with transaction() as session:
        share_view(session, actor("Ann"), ann.sheet, view, is_shared=False)
    assert set(names(visit.ask("GET", "/sheets/{sheet}/rows"))) == SEEN


def test_an_open_socket_tells_nothing_of_rows_outside_and_ends_with_the_view(live_people: People) -> None:
    ann, view = with_view(live_people)
    visit = open_as_visitor(ann.client, ann.sheet, view=view)
    with live(visit) as socket:
        version = next_of(socket, "version")
        socket.send_text(json.dumps({"since": version}))
        ann.edit(2, DEAL, "Tiny deal, still")
        changes = next_of(socket, "changes")
        assert (changes["reset"], changes["rows"]) == (True, [])
        with transaction() as session:
            delete_view(session, actor("Ann"), ann.sheet, view)
        with pytest.raises(WebSocketDisconnect) as closed:
            while True:
                assert "Tiny" not in socket.receive_text()
        assert closed.value.code == NO_RIGHT


@pytest.mark.parametrize("condition", ["relation", "lookup"])
def test_a_link_ends_with_a_filter_that_reads_another_sheet(people: People, condition: str) -> None:
    """A visitor sees nothing of the other sheet, so each negative condition would let every row through."""
    ann = people("Ann")
    with transaction() as session:
        sheets = two_sheets(session, actor("Ann"))
        sheets.add(actor("Ann"), sheets.accounts, {NAME: "Acme", CITY: "Wien"})
        sheets.add(actor("Ann"), sheets.deals, {DEAL: "One", sheets.account: ["1"]}, {DEAL: "Two"})
        rules = {"relation": sheets.account, "column": CITY, "summary": "first"}
        lookup = add_column(session, actor("Ann"), sheets.deals, NewColumn("City", "lookup", rules)).column_id
        column = sheets.account if condition == "relation" else lookup
        empty = {"filter": [{"column": column, "op": "is_empty"}]}
        view = create_view(session, actor("Ann"), sheets.deals, "Without account", settings=empty, is_shared=True)
    visit = open_as_visitor(ann.client, sheets.deals, view=view.view_id)
    answer = visit.ask("GET", f"/sheets/{sheets.deals}/rows")
    assert (answer.status_code, answer.json()["detail"]) == (404, VIEW_BROKEN)
