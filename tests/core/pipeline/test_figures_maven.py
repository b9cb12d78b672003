"""The dashboard's figures over 8,800 real deals: what two other programs found, to the unit."""

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.column_types.base import Option
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.pipeline.figures import figures
from core.rows.query import View
from core.sheets.columns import NewColumn, add_columns
from core.sheets.sheets import configure_pipeline, create_sheet
from tests.conftest import actor

MAVEN = Path(__file__).parents[4] / "shared" / "data" / "maven_crm"


@pytest.mark.skipif(not MAVEN.exists(), reason="the Maven CRM files are not beside the project")
def test_the_maven_pipeline_gives_its_known_figures(session: Session) -> None:
    ann = actor("Ann")
    access = create_sheet(session, ann, "Maven", template="blank")
    stages = [
        Option("o1", "Prospecting", "gray", probability=10, kind="open"),
        Option("o2", "Engaging", "blue", probability=40, kind="open"),
        Option("o3", "Won", "green", probability=100, kind="won"),
        Option("o4", "Lost", "red", probability=0, kind="lost"),
    ]
    news = [
        NewColumn("Stage", "choice", {}, stages),
        NewColumn("Engaged", "date"),
        NewColumn("Closed", "date"),
        NewColumn("Value", "money"),
        NewColumn("Agent", "text"),
        NewColumn("Account", "text"),
    ]
    ids = {column.name: column.column_id for column in add_columns(session, ann, access.sheet.sheet_id, news)}
    parts = {"stage": "Stage", "created": "Engaged", "close_date": "Closed", "amount": "Value", "owner": "Agent"}
    chosen = {part: ids[name] for part, name in parts.items()} | {"account": ids["Account"]}
    configure_pipeline(session, ann, access.sheet.sheet_id, chosen)
    fields = {
        "Stage": "deal_stage",
        "Engaged": "engage_date",
        "Closed": "close_date",
        "Value": "close_value",
        "Agent": "sales_agent",
        "Account": "account",
    }
    with (MAVEN / "sales_pipeline.csv").open(newline="", encoding="utf-8-sig") as file:
        lines = list(csv.DictReader(file))
    adds = tuple(
        NewRow(str(n), {ids[name]: CellInput(line[field]) for name, field in fields.items()})
        for n, line in enumerate(lines)
    )
    for first in range(0, len(adds), 700):
        part = Batch(adds=adds[first : first + 700])
        write(session, ann, access.sheet.sheet_id, part, operation_id=uuid4(), source=ChangeSource.IMPORT)
    found = figures(session, get_access(session, ann, access.sheet.sheet_id), View(), today=date(2018, 1, 1))
    assert found.total == 8800
    assert (found.headline.won_count, found.headline.won_amount) == (4238, Decimal(10005534))
    assert round(found.headline.win_rate or 0, 4) == Decimal("0.6315")
    assert found.headline.median_cycle_days == 57
    truth: dict[str, Any] = json.loads((MAVEN / "truth.json").read_text())
    by_agent = {
        one.label: [one.won.count, one.lost_count, one.open.count, float(one.won.amount)] for one in found.owners
    }
    assert by_agent == {
        name: [won, lost, still, value] for name, (_, won, lost, still, _, value) in truth["by_agent"].items()
    }
