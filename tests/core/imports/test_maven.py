"""A real pipeline of 8,800 deals: the product's own figures over what was imported are the known truth, to the unit."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.imports.inspection import inspect
from core.imports.load import import_new_sheet
from core.imports.plan import propose
from core.imports.preview import check
from core.imports.stages import guess_parts
from core.pipeline.figures import figures
from core.rows.query import View
from tests.core.imports.conftest import rows_of

MAVEN = Path(__file__).parents[4] / "shared" / "data" / "maven_crm"
pytestmark = pytest.mark.skipif(not MAVEN.exists(), reason="the Maven pipeline is not here")


def imported(session: Session, who: Actor, name: str) -> Access:
    with (MAVEN / name).open("rb") as file:
        plan = propose(inspect(file))
        assert check(file, plan).fits
        report = import_new_sheet(session, who, name, file, plan, operation_id=uuid4(), parts=guess_parts(plan))
    return get_access(session, who, report.sheet)


@pytest.fixture
def pipeline(session: Session, ann: Actor) -> Access:
    return imported(session, ann, "sales_pipeline.csv")


@pytest.fixture
def truth() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((MAVEN / "truth.json").read_text())
    return found


def test_every_column_has_the_type_that_a_person_would_give_it(pipeline: Access) -> None:
    assert [(column.name, column.type) for column in pipeline.columns] == [
        ("opportunity_id", "text"),
        ("sales_agent", "text"),
        ("product", "choice"),
        ("account", "text"),
        ("deal_stage", "choice"),
        ("engage_date", "date"),
        ("close_date", "date"),
        ("close_value", "money"),
    ]
    assert [(one.label, one.kind, one.probability) for one in pipeline.columns[4].options] == [
        ("Prospecting", "open", 10),
        ("Engaging", "open", 40),
        ("Won", "won", 100),
        ("Lost", "lost", 0),
    ]
    assert pipeline.sheet.pipeline == {
        "stage": 5,
        "amount": 8,
        "close_date": 7,
        "created": 6,
        "owner": 2,
        "account": 4,
    }


def test_the_french_twin_gives_an_equal_sheet(session: Session, ann: Actor, pipeline: Access) -> None:
    french = imported(session, ann, "sales_pipeline_fr.csv")
    assert french.columns == pipeline.columns
    assert french.sheet.settings == pipeline.sheet.settings
    assert rows_of(session, french.sheet.sheet_id) == rows_of(session, pipeline.sheet.sheet_id)


def test_the_figures_are_the_truth(session: Session, pipeline: Access, truth: dict[str, Any]) -> None:
    found = figures(session, pipeline, View(), today=date(2017, 12, 31))
    assert found.total == truth["rows"] == 8800
    assert {bar.label: bar.count for bar in found.stages} == truth["by_stage"]
    assert (found.headline.won_count, found.headline.won_amount) == (4238, Decimal(10005534))
    assert round(found.headline.win_rate or 0, 6) == Decimal(str(truth["win_rate"]))
    assert found.headline.median_cycle_days == Decimal(str(truth["cycle_days"]["Won"]["median"]))
    months = {f"{one.start:%Y-%m}": [one.won.count, float(one.won.amount)] for one in found.months}
    assert months == truth["won_by_month"]
    quarters = {one.label.replace(" ", ""): one.lost.count for one in found.quarters}
    assert quarters == truth["lost_by_quarter"]
    agents = {one.label: [one.won.count, one.lost_count, one.open.count, float(one.won.amount)] for one in found.owners}
    assert {
        name: [agents[name][0], agents[name][1], agents[name][2], agents[name][3]] for name in truth["by_agent"]
    } == {name: [won, lost, still, value] for name, (_, won, lost, still, _, value) in truth["by_agent"].items()}


def test_what_the_dashboard_does_not_show_is_right_too(
    session: Session, pipeline: Access, truth: dict[str, Any]
) -> None:
    """Straight from the rows: open deals without an account, the extremes, and every id once."""
    sheet = {"sheet": pipeline.sheet.sheet_id}
    no_account = text(
        "SELECT values ->> '5', count(*) FROM rows WHERE sheet_id = :sheet AND NOT values ? '4' GROUP BY 1 ORDER BY 1"
    )
    labels = {option.id: option.label for option in pipeline.columns[4].options}
    found = {labels[stage]: number for stage, number in session.execute(no_account, sheet)}
    assert found == truth["open_no_account"]
    won = text(
        "SELECT min((values ->> '8')::numeric), max((values ->> '8')::numeric),"
        " percentile_cont(0.5) WITHIN GROUP (ORDER BY (values ->> '8')::numeric), count(DISTINCT values ->> '1')"
        " FROM rows WHERE sheet_id = :sheet AND values ->> '5' = 'o3'"
    )
    least, most, middle, ids = session.execute(won, sheet).one()
    assert (float(least), float(most), float(middle)) == (truth["min_won"], truth["max_won"], truth["median_won"])
    assert ids == 4238
