"""The dashboard's figures against plain Python over the same rows, and every bar against the rows that it opens."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import median
from uuid import uuid4

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.pipeline.breakdowns import is_owned_by, owner_names
from core.pipeline.figure_types import Bar, Figures
from core.pipeline.figures import figures
from core.pipeline.headline import overdue_view
from core.pipeline.pipeline import get_pipeline
from core.rows.filter_tree import Condition
from core.rows.query import View
from core.rows.read import row_count
from core.sheets.columns import change_column
from core.sheets.sheets import configure_pipeline, create_sheet

TODAY = date(2026, 6, 15)
DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)
LABELS = ["Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]
PROBABILITY = {"Lead": 5, "Qualified": 20, "Proposal": 45, "Negotiation": 70, "Won": 100, "Lost": 0, "": 0}
Deal = dict[int, str]


def invented(seed: int, number: int) -> list[Deal]:
    """Deals with every kind of hole: no stage, no amount, no date, no owner, no account."""
    chance = random.Random(seed)

    def some(values: list[str]) -> str:
        return chance.choice([*values, ""])

    def day(first: int, last: int) -> str:
        return (TODAY + timedelta(days=chance.randint(first, last))).isoformat()

    return [
        {
            DEAL: f"Deal {place}",
            ACCOUNT: some(["Acme", "ACME", "Bolt <b>", "Crate & Co", "Dyno"]),
            STAGE: some(LABELS),
            AMOUNT: some([f"{chance.randint(1, 10**7) / 100:.2f}", "0.1", "0.2"]),
            OWNER: some(["Ann", "Ben", "Cleo"]),
            CREATED: some([day(-400, 0)]),
            CLOSE: some([day(-300, 200)]),
        }
        for place in range(number)
    ]


def test_amounts_without_a_currency_are_not_added_up(session: Session, filled: Access, ann: Actor) -> None:
    """Columns of money from before columns had to have one may hold amounts of several."""
    session.execute(text("UPDATE columns SET rules = '{}' WHERE type = 'money'"))
    session.execute(text("UPDATE sheets SET columns_version = columns_version + 1"))
    access = get_access(session, ann, filled.sheet.sheet_id)
    pipeline = get_pipeline(access)
    assert (pipeline.amount, pipeline.uncounted) == (None, access.column(AMOUNT))
    assert figures(session, access, View(), today=TODAY).headline.open_amount == 0
    change_column(session, ann, filled.sheet.sheet_id, AMOUNT, rules={"currency": "EUR"})
    pipeline = get_pipeline(get_access(session, ann, filled.sheet.sheet_id))
    assert (pipeline.amount and pipeline.amount.column_id, pipeline.uncounted) == (AMOUNT, None)


@pytest.fixture
def rows() -> list[Deal]:
    return invented(7, 400)


@pytest.fixture
def filled(session: Session, deals: Access, ann: Actor, rows: list[Deal]) -> Access:
    """The deals in a sheet; five of them deleted, one stage retired while deals stand there."""
    sheet = deals.sheet.sheet_id
    adds = tuple(
        NewRow(str(n), {column: CellInput(text) for column, text in row.items()}) for n, row in enumerate(rows)
    )
    write(session, ann, sheet, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)
    write(session, ann, sheet, Batch(deletes=(1, 2, 3, 4, 5)), operation_id=uuid4(), source=ChangeSource.API)
    del rows[:5]
    left = [option for option in deals.column(STAGE).options if option.label != "Qualified"]
    change_column(session, ann, sheet, STAGE, options=tuple(left))
    return get_access(session, ann, sheet)


@pytest.fixture
def shown(session: Session, filled: Access) -> Figures:
    return figures(session, filled, View(), today=TODAY)


def amount(row: Deal) -> Decimal:
    return Decimal(row[AMOUNT] or 0)


def kind(row: Deal) -> str:
    return {"Won": "won", "Lost": "lost"}.get(row[STAGE], "open")


def weighted(row: Deal) -> Decimal:
    return amount(row) * PROBABILITY[row[STAGE]] / 100


def of_kind(rows: list[Deal], *kinds: str) -> list[Deal]:
    return [row for row in rows if kind(row) in kinds]


def total(rows: list[Deal]) -> tuple[int, Decimal]:
    return len(rows), sum(map(amount, rows), Decimal(0))


def measured(bar: Bar) -> tuple[int, Decimal]:
    return bar.count, bar.amount


def test_the_headline_is_what_plain_counting_gives(rows: list[Deal], shown: Figures) -> None:
    top, won = shown.headline, of_kind(rows, "won")
    assert (top.open_count, top.open_amount) == total(of_kind(rows, "open"))
    valued = {kind: [row for row in of_kind(rows, kind) if row[AMOUNT]] for kind in ("open", "won", "lost")}
    assert (top.open_valued, top.won_valued) == (len(valued["open"]), len(valued["won"]))
    assert top.valued_count == sum(map(len, valued.values())) < len(rows)
    assert top.average_open == top.open_amount / len(valued["open"]), "Deals without an amount are not over nothing."
    assert (top.won_count, top.won_amount) == total(won)
    assert top.lost_count == len(of_kind(rows, "lost"))
    assert top.weighted == sum(map(weighted, of_kind(rows, "open")), Decimal(0))
    quarter = [row for row in won if "2026-04-01" <= row[CLOSE] <= "2026-06-30"]
    assert (top.won_now_count, top.won_now_amount) == total(quarter)
    assert top.overdue_count == sum(bool(row[CLOSE]) and row[CLOSE] < "2026-06-15" for row in of_kind(rows, "open"))
    assert top.win_rate == Decimal(len(won)) / (len(won) + top.lost_count)
    assert top.average_won == top.won_amount / len(valued["won"])
    assert top.won_now_valued == sum(bool(row[AMOUNT]) for row in quarter)
    cycles = [
        (date.fromisoformat(row[CLOSE]) - date.fromisoformat(row[CREATED])).days
        for row in won
        if row[CLOSE] and row[CREATED]
    ]
    assert top.median_cycle_days == Decimal(str(float(median(cycles))))


def test_stages_are_in_their_order_and_retired_ones_show_while_deals_stand_there(
    rows: list[Deal], shown: Figures
) -> None:
    assert [bar.label for bar in shown.stages] == [
        *[name for name in LABELS if name != "Qualified"],
        "Qualified",
        "No stage",
    ]
    for bar in shown.stages:
        here = [row for row in rows if (row[STAGE] or "No stage") == bar.label]
        assert measured(bar) == total(here)
        assert bar.weighted == sum(map(weighted, here), Decimal(0))


@pytest.mark.parametrize("unit", ["months", "quarters"])
def test_won_and_lost_fall_into_the_period_of_their_close_date(rows: list[Deal], shown: Figures, unit: str) -> None:
    expected: dict[date, dict[str, list[Deal]]] = defaultdict(lambda: {"won": [], "lost": []})
    for row in of_kind(rows, "won", "lost"):
        if row[CLOSE]:
            expected[begun(row[CLOSE], unit)][kind(row)].append(row)
    periods = getattr(shown, unit)
    past = [start for start in sorted(expected) if start <= begun(TODAY.isoformat(), unit)]
    assert [period.start for period in periods if period.closed.count] == past
    for period in periods:
        here = expected[period.start]
        assert measured(period.won) == total(here["won"])
        assert measured(period.lost) == total(here["lost"])
        assert measured(period.closed) == total(here["won"] + here["lost"])
        assert period.win_rate == (Decimal(len(here["won"])) / period.closed.count if period.closed.count else None)
    inside = sum(period.closed.count for period in periods)
    assert shown.closed_outside(periods) == len(of_kind(rows, "won", "lost")) - inside > 0


def begun(day: str, unit: str) -> date:
    first = date.fromisoformat(day).replace(day=1)
    return first if unit == "months" else first.replace(month=(first.month - 1) // 3 * 3 + 1)


def test_owners_have_what_is_theirs(rows: list[Deal], shown: Figures) -> None:
    assert {one.label for one in shown.owners} == {"Ann", "Ben", "Cleo", "Nobody"}
    for one in shown.owners:
        mine = [row for row in rows if (row[OWNER] or "Nobody") == one.label]
        assert measured(one.open) == total(of_kind(mine, "open"))
        assert one.open.weighted == sum(map(weighted, of_kind(mine, "open")), Decimal(0))
        assert measured(one.won) == total(of_kind(mine, "won"))
        assert one.lost_count == len(of_kind(mine, "lost"))
    assert [one.open.amount for one in shown.owners] == sorted((one.open.amount for one in shown.owners), reverse=True)


def test_open_deals_are_in_the_bucket_of_their_age(rows: list[Deal], shown: Figures) -> None:
    limits = {"0–30 days": (-999, 30), "31–60 days": (31, 60), "61–90 days": (61, 90), "91–180 days": (91, 180)}
    limits["over 180 days"] = (181, 9999)
    aged: dict[str, list[Deal]] = {label: [] for label in [*limits, "No date"]}
    for row in of_kind(rows, "open"):
        age = (TODAY - date.fromisoformat(row[CREATED])).days if row[CREATED] else None
        aged[
            next((name for name, (low, high) in limits.items() if age is not None and low <= age <= high), "No date")
        ].append(row)
    assert {bar.label: measured(bar) for bar in shown.ages} == {label: total(here) for label, here in aged.items()}
    assert sum(bar.count for bar in shown.ages) == shown.headline.open_count


def test_without_a_created_column_a_deal_is_as_old_as_its_row(session: Session, filled: Access, ann: Actor) -> None:
    sheet = filled.sheet.sheet_id
    configure_pipeline(
        session, ann, sheet, {part: one for part, one in filled.sheet.pipeline.items() if part != "created"}
    )
    access = get_access(session, ann, sheet)
    for day, label in ((datetime.now(UTC).date(), "0–30 days"), (date(2099, 1, 1), "over 180 days")):
        found = figures(session, access, View(), today=day)
        (bar,) = [bar for bar in found.ages if bar.count]
        assert (bar.label, bar.count) == (label, found.headline.open_count)
        assert row_count(session, access, View.from_json(bar.view.as_json())) == bar.count


def test_the_largest_accounts_come_first_however_they_are_cased(rows: list[Deal], shown: Figures) -> None:
    alive = [row for row in of_kind(rows, "open", "won") if row[ACCOUNT]]
    expected = Counter[str]()
    for row in alive:
        expected[row[ACCOUNT].lower()] += amount(row)  # type: ignore[assignment]
    assert [one.label.lower() for one in shown.accounts] == [name for name, _ in expected.most_common(10)]
    for one in shown.accounts:
        theirs = [row for row in rows if row[ACCOUNT].lower() == one.label.lower()]
        assert measured(one.open) == total(of_kind(theirs, "open"))
        assert measured(one.won) == total(of_kind(theirs, "won"))


def test_every_bar_opens_exactly_the_rows_that_it_counts(session: Session, filled: Access, shown: Figures) -> None:
    bars = [*shown.stages, *shown.ages]
    bars += [bar for period in [*shown.months, *shown.quarters] for bar in (period.won, period.lost, period.closed)]
    bars += [bar for one in [*shown.owners, *shown.accounts] for bar in (one.open, one.won)]
    assert len(bars) > 50
    for bar in bars:
        assert row_count(session, filled, View.from_json(bar.view.as_json())) == bar.count, bar
    late = overdue_view(get_pipeline(filled), View(), today=TODAY)
    assert row_count(session, filled, late) == shown.headline.overdue_count


def test_filters_narrow_every_figure(session: Session, filled: Access, rows: list[Deal]) -> None:
    mine = View(filter=(Condition(OWNER, "is_any_of", ["3"]),))
    found = figures(session, filled, mine, today=TODAY)
    assert found.total == sum(row[OWNER] == "Ben" for row in rows)
    assert {one.label for one in found.owners} == {"Ben"}


def test_a_new_version_of_the_sheet_gives_new_figures(session: Session, filled: Access, ann: Actor) -> None:
    before = figures(session, filled, View(), today=TODAY)
    assert figures(session, filled, View(), today=TODAY).headline is before.headline
    edits = (Edit(6, AMOUNT, CellInput("9000000")), Edit(6, STAGE, CellInput("Lead")))
    write(session, ann, filled.sheet.sheet_id, Batch(edits=edits), operation_id=uuid4(), source=ChangeSource.API)
    after = figures(session, get_access(session, ann, filled.sheet.sheet_id), View(), today=TODAY)
    assert after.version == before.version + 1
    assert after.headline != before.headline


def test_another_choice_of_columns_gives_new_figures(
    session: Session, filled: Access, ann: Actor, shown: Figures
) -> None:
    configure_pipeline(session, ann, filled.sheet.sheet_id, {"stage": STAGE})
    access = get_access(session, ann, filled.sheet.sheet_id)
    assert access.sheet.version == shown.version
    assert figures(session, access, View(), today=TODAY).headline.open_amount == 0


def test_figures_share_statements_and_take_none_while_nothing_changes(session: Session, filled: Access) -> None:
    with statements(session) as seen:
        figures(session, filled, View(search="deal"), today=TODAY)
    assert sum("FROM rows" in one for one in seen) == 4
    with statements(session) as seen:
        figures(session, filled, View(search="deal"), today=TODAY)
    assert seen == []


def test_owners_written_as_text_can_be_chosen(session: Session, ann: Actor, filled: Access) -> None:
    sheet = filled.sheet.sheet_id
    configure_pipeline(session, ann, sheet, {"stage": STAGE, "owner": ACCOUNT})
    pipeline = get_pipeline(get_access(session, ann, sheet))
    names = owner_names(session, pipeline)
    assert list(names) == ["acme", "bolt <b>", "crate & co", "dyno"]
    chosen = View(filter=tuple(is_owned_by(pipeline.owner or filled.columns[0], ["acme"])))
    found = figures(session, pipeline.access, chosen, today=TODAY)
    assert [one.label.lower() for one in found.owners] == ["acme"]


@pytest.mark.parametrize("name", ["İZMİR", "STRAẞE", "2026", "50%_\\\\", "a  b", "Ǆ", "é", "株式会社", "x" * 900])
def test_a_bar_of_any_name_opens_its_rows(session: Session, ann: Actor, deals: Access, name: str) -> None:
    adds = tuple(
        NewRow(str(n), {DEAL: CellInput("x"), ACCOUNT: CellInput(text)}) for n, text in enumerate([name, name, "else"])
    )
    write(session, ann, deals.sheet.sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)
    access = get_access(session, ann, deals.sheet.sheet_id)
    found = figures(session, access, View(), today=TODAY)
    assert [row_count(session, access, one.open.view) for one in found.accounts] == [2, 1]


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    """The statements that are sent in the block."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(session.get_bind(), "before_cursor_execute", note)
    yield seen
    event.remove(session.get_bind(), "before_cursor_execute", note)


def test_a_plain_table_says_what_to_do(session: Session, ann: Actor) -> None:
    access = create_sheet(session, ann, "Contacts", template="contacts")
    with pytest.raises(Invalid, match="Choose its stage column"):
        figures(session, access, View(), today=TODAY)


def test_a_pipeline_without_its_other_columns_still_counts(session: Session, ann: Actor, deals: Access) -> None:
    configure_pipeline(session, ann, deals.sheet.sheet_id, {"stage": STAGE})
    adds = (NewRow("a", {DEAL: CellInput("x"), STAGE: CellInput("Won")}), NewRow("b", {DEAL: CellInput("y")}))
    write(session, ann, deals.sheet.sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)
    found = figures(session, get_access(session, ann, deals.sheet.sheet_id), View(), today=TODAY)
    assert (found.headline.won_count, found.headline.open_count) == (1, 1)
    assert (found.months, found.owners, found.accounts) == ([], [], [])
    assert sum(bar.count for bar in found.ages) == 1


def test_a_figure_is_computed_only_where_it_is_asked_for(session: Session, filled: Access) -> None:
    view = View(search="deal")
    with statements(session) as seen:
        stages = figures(session, filled, view, "stages", today=TODAY)
    assert sum("FROM rows" in one for one in seen) == 1
    with pytest.raises(KeyError):
        _ = stages.owners
    with statements(session) as seen:
        figures(session, filled, view, "stages", today=TODAY)
    assert seen == []


def test_another_day_gives_new_figures_only_of_those_that_depend_on_it(session: Session, filled: Access) -> None:
    before = figures(session, filled, View(), today=TODAY)
    after = figures(session, filled, View(), today=TODAY + timedelta(days=40))
    assert after.headline is not before.headline
    assert after.ages is not before.ages
    assert after.stages is before.stages
    assert after.accounts is before.accounts
