"""The dashboard page: tiles, charts, filters and empty states."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.access.access import Access
from core.accounts.locale import set_locale
from core.credentials.sessions import start_session
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.sheets.columns import limit_column
from core.sheets.sheets import configure_pipeline, create_sheet
from core.views.edit_views import create_view
from tests.conftest import actor

ROOT = Path(__file__).parents[2]
TODAY = datetime.now(UTC).date().isoformat()
DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)
DEALS = [
    {STAGE: "Lead", AMOUNT: "1000", OWNER: "Ann", CREATED: TODAY, CLOSE: "2001-02-03", ACCOUNT: "<b>Acme</b> & co"},
    {STAGE: "Proposal", AMOUNT: "2000", OWNER: "Ben", CREATED: "2001-02-03"},
    {STAGE: "Won", AMOUNT: "3000", OWNER: "Ann", CREATED: "2001-02-03", CLOSE: TODAY},
    {STAGE: "Won", AMOUNT: "500", OWNER: "Ann", CREATED: "2001-02-03", CLOSE: "2001-03-01"},
    {STAGE: "Lost", AMOUNT: "4000", OWNER: "Ben", CREATED: TODAY, CLOSE: TODAY},
]
Opened = Callable[..., AppTest]


@pytest.fixture
def opened(session: Session) -> Opened:
    def open_page(name: str, **query: str) -> AppTest:
        session_id, _ = start_session(session, actor(name).user_id, kind="browser", address=None, user_agent="")
        page = AppTest.from_file(str(ROOT / "pages/main.py"), default_timeout=30)
        page.user = {"session": str(session_id)}
        for key, value in query.items():
            page.query_params[key] = value
        page.run()
        page.switch_page("insight/dashboard.py")
        return page.run()

    return open_page


@pytest.fixture
def filled(session: Session, deals: Access) -> Access:
    adds = tuple(
        NewRow(
            str(number),
            {DEAL: CellInput(f"Deal {number}")} | {column: CellInput(text) for column, text in deal.items()},
        )
        for number, deal in enumerate(DEALS)
    )
    write(session, actor("Ann"), deals.sheet.sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)
    return deals


def key(sheet: Access, name: str) -> str:
    return f"dashboard_{sheet.sheet.sheet_id}_{name}"


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def texts(page: AppTest) -> str:
    elements = [*page.title, *page.subheader, *page.caption, *page.info, *page.warning, *page.error]
    return "\n".join(str(element.value) for element in elements)


def charts(page: AppTest) -> list[dict[str, object]]:
    return [json.loads(chart.proto.spec or chart.proto.figure.spec) for chart in page.get("plotly_chart")]


def test_a_stored_view_narrows_the_figures_and_is_in_the_address(
    session: Session, opened: Opened, filled: Access
) -> None:
    leads = {"filter": [{"column": STAGE, "op": "is_any_of", "value": ["o1"]}]}
    view = create_view(session, actor("Ann"), filled.sheet.sheet_id, "Leads", settings=leads, is_shared=True).view_id
    page = opened("Ann")
    assert metrics(page)["Open deals"] == "2"
    page.selectbox(key=f"dashboard_view_{filled.sheet.sheet_id}").set_value(view)
    page.run()
    assert not page.exception
    assert metrics(page)["Open deals"] == "1"
    assert page.query_params["view"] in (str(view), [str(view)])


def test_each_headline_tile_has_its_formula(opened: Opened, filled: Access) -> None:
    page = opened("Ann")
    assert not page.exception
    assert metrics(page) == {
        "Open deals": "2",
        "Open": "€ 3.0 k",
        "Weighted": "€ 950",
        "Overdue": "1",
        "Won this quarter": "€ 3.0 k",
        "Win rate": "67%",
        "Average won": "€ 1.8 k",
        "Median cycle": metrics(page)["Median cycle"],
    }
    assert all(metric.help for metric in page.metric)


def test_a_viewer_sees_the_same_figures(opened: Opened, filled: Access) -> None:
    assert metrics(opened("Cleo")) == metrics(opened("Ann"))


def test_a_period_narrows_to_deals_that_close_in_it(opened: Opened, filled: Access) -> None:
    page = opened("Ann")
    page.selectbox(key=key(filled, "period")).set_value("This quarter").run()
    assert not page.exception
    values = metrics(page)
    assert (values["Open deals"], values["Won"], values["Win rate"]) == ("0", "€ 3.0 k", "50%")


def test_an_owner_and_a_choice_narrow_every_figure(opened: Opened, filled: Access) -> None:
    page = opened("Ann")
    page.multiselect(key=key(filled, "owner")).set_value(["2"]).run()
    assert metrics(page)["Open"] == "€ 1.0 k"
    page.multiselect(key=key(filled, f"column{STAGE}")).set_value(["o5"]).run()
    assert metrics(page)["Open deals"] == "0"
    assert metrics(page)["Average won"] == "€ 1.8 k"
    assert "Filtered by Stage" in texts(page)


def test_filters_are_written_to_the_address_and_read_from_it(opened: Opened, filled: Access) -> None:
    page = opened("Ann")
    page.multiselect(key=key(filled, "owner")).set_value(["2", "3"]).run()
    page.selectbox(key=key(filled, "period")).set_value("This quarter").run()
    query = dict(page.query_params.items())
    assert (query["owner"], query["period"]) == ("2,3", "This quarter")
    assert metrics(opened("Cleo", **query)) == metrics(page)


def test_a_custom_period_filters_by_its_days(opened: Opened, filled: Access) -> None:
    page = opened("Ann", period="From … to …", days="2001-03-01,2001-03-31")
    assert metrics(page)["Won"] == "€ 500"


@pytest.mark.parametrize(
    "query", [{"period": "Never"}, {"owner": "999,x"}, {"period": "From … to …", "days": "x,y"}, {"column3": "o99"}]
)
def test_invalid_filters_in_the_address_are_ignored(opened: Opened, filled: Access, query: dict[str, str]) -> None:
    page = opened("Ann", **query)
    assert not page.exception
    assert metrics(page)["Open deals"] == "2"


def test_an_owner_written_as_text_is_one_of_those_that_occur(opened: Opened, session: Session, filled: Access) -> None:
    parts = filled.sheet.pipeline | {"owner": ACCOUNT}
    configure_pipeline(session, actor("Ann"), filled.sheet.sheet_id, parts)
    page = opened("Ann")
    page.multiselect(key=key(filled, "owner")).set_value(["<b>acme</b> & co"]).run()
    assert metrics(page)["Open deals"] == "1"


def test_charts_can_count_deals_and_show_quarters(opened: Opened, filled: Access) -> None:
    page = opened("Ann")
    assert len(charts(page)) == 6
    page.segmented_control(key="dashboard_measure").set_value("Deals").run()
    page.segmented_control(key="dashboard_unit").set_value("Quarter").run()
    assert not page.exception
    (stages, *_) = charts(page)
    assert stages["data"][0]["x"] == [1, 0, 1, 0]


def test_a_chart_over_time_counts_the_deals_that_it_omits(opened: Opened, filled: Access) -> None:
    assert "1 deal closed at another time, or without a close date." in texts(opened("Ann"))


def test_a_chart_over_time_counts_the_periods_that_it_omits_and_can_show_them(
    opened: Opened, session: Session, filled: Access
) -> None:
    page = opened("Ann")
    every = page.toggle(key="dashboard_every_month").label
    assert re.fullmatch(r"All \d+ months", every)
    assert f"The latest 18 of {every[4:]}." in texts(page)
    page.segmented_control(key="dashboard_unit").set_value("Quarter").run()
    assert re.search(r"The latest 8 of \d+ quarters\. 1 deal closed at another time", texts(page))
    page.toggle(key="dashboard_every_quarter").set_value(True).run()
    assert not page.exception
    assert "The latest" not in texts(page)


def test_an_average_is_of_the_deals_that_have_an_amount_and_says_how_many_have_none(
    opened: Opened, session: Session, filled: Access
) -> None:
    bare = tuple(
        NewRow(stage, {DEAL: CellInput("x"), STAGE: CellInput(stage), CLOSE: CellInput(TODAY)})
        for stage in ("Lead", "Won")
    )
    write(session, actor("Ann"), filled.sheet.sheet_id, Batch(adds=bare), operation_id=uuid4(), source=ChangeSource.API)
    page = opened("Ann")
    notes = {metric.label: metric.delta for metric in page.metric}
    assert metrics(page)["Average won"] == "€ 1.8 k"
    assert notes["Open"] == "€ 1.5 k each, 1 without an amount"
    assert notes["Average won"] == "of 2 deals, 1 without an amount"
    assert notes["Won this quarter"] == "2 deals, 1 without an amount"


def test_if_no_deal_has_an_amount_deals_are_counted_and_no_sum_is_zero(
    opened: Opened, session: Session, deals: Access
) -> None:
    bare = tuple(NewRow(stage, {DEAL: CellInput("x"), STAGE: CellInput(stage)}) for stage in ("Lead", "Won"))
    write(session, actor("Ann"), deals.sheet.sheet_id, Batch(adds=bare), operation_id=uuid4(), source=ChangeSource.API)
    page = opened("Ann")
    assert not {"Open", "Weighted", "Average won"} & {*metrics(page)}
    only = (NewRow("lost", {DEAL: CellInput("x"), STAGE: CellInput("Lost"), AMOUNT: CellInput("5")}),)
    write(session, actor("Ann"), deals.sheet.sheet_id, Batch(adds=only), operation_id=uuid4(), source=ChangeSource.API)
    page = opened("Ann")
    assert {metrics(page)[name] for name in ("Open", "Weighted", "Average won")} == {"–"}
    assert {metric.label: metric.delta for metric in page.metric}["Open"] == "none has an amount"


def test_amounts_without_a_currency_are_not_added_up_and_the_page_explains_why(
    opened: Opened, session: Session, filled: Access
) -> None:
    session.execute(text("UPDATE columns SET rules = '{}' WHERE type = 'money'"))
    session.execute(text("UPDATE sheets SET columns_version = columns_version + 1"))
    page = opened("Ann")
    assert "“Amount” has no currency, so its amounts are not added up. Choose it on the Columns page." in texts(page)
    assert "Open" not in metrics(page)
    assert "Ask the sheet's owner" in texts(opened("Cleo"))


def test_markup_in_cells_is_escaped_in_charts(opened: Opened, filled: Access) -> None:
    layouts = json.dumps([chart["layout"] for chart in charts(opened("Ann"))])
    assert "&lt;b&gt;Acme&lt;/b&gt; &amp; co" in layouts
    assert "<b>Acme" not in layouts


def test_without_a_pipeline_the_page_says_what_to_do(opened: Opened, session: Session) -> None:
    create_sheet(session, actor("Dan"), "Contacts", template="contacts")
    page = opened("Dan")
    assert not page.exception
    assert "No pipeline yet" in texts(page)
    assert not page.metric


def test_without_deals_the_page_says_what_to_do(opened: Opened, deals: Access) -> None:
    assert "No deals yet" in texts(opened("Ann"))


def test_without_permission_to_add_deals_the_page_offers_no_import(
    opened: Opened, session: Session, deals: Access
) -> None:
    page = opened("Cleo")
    assert "No deals yet. Deals appear here once an editor adds them." in texts(page)
    assert [link.label for link in page.main.page_link] == ["Open the grid"]
    assert [link.label for link in opened("Ben").main.page_link] == ["Open the grid", "Import deals"]


def test_without_permission_to_create_sheets_the_page_waits_for_a_shared_pipeline(
    opened: Opened, session: Session
) -> None:
    page = opened("Cleo")
    assert "Its figures appear here once a pipeline is shared with you" in texts(page)
    assert not page.main.page_link


def test_filters_without_a_match_are_explained(opened: Opened, filled: Access) -> None:
    page = opened("Ann")
    page.multiselect(key=key(filled, "owner")).set_value(["5"]).run()
    assert "No deals match these filters" in texts(page)


def test_a_sheet_that_is_not_shared_is_not_shown(opened: Opened, filled: Access) -> None:
    page = opened("Dan", sheet=str(filled.sheet.sheet_id))
    assert not page.exception
    assert "No pipeline yet" in texts(page)


def test_a_plain_table_in_the_address_says_how_to_chart_it(opened: Opened, session: Session, filled: Access) -> None:
    plain = create_sheet(session, actor("Ann"), "Contacts *A*", template="contacts")
    page = opened("Ann", sheet=str(plain.sheet.sheet_id))
    assert "is a plain table" in texts(page)
    assert r"\*A\*" in texts(page)


def test_a_pipeline_of_stages_alone_counts_deals(opened: Opened, session: Session, filled: Access) -> None:
    configure_pipeline(session, actor("Ann"), filled.sheet.sheet_id, {"stage": STAGE})
    page = opened("Ann")
    assert not page.exception
    assert metrics(page) == {"Open deals": "2", "Won": "2", "Win rate": "67%", "Median cycle": "–"}
    assert not page.segmented_control
    assert "Days since the row was added" in texts(page)


def test_figures_use_the_number_format_and_time_zone_of_the_user(
    session: Session, opened: Opened, filled: Access
) -> None:
    """The two zones are 25 hours apart and never have the same date: a deal due in one is overdue in the other."""
    niue_today = datetime.now(ZoneInfo("Pacific/Niue")).date().isoformat()
    due = NewRow(
        "due",
        {DEAL: CellInput("Due"), STAGE: CellInput("Lead"), AMOUNT: CellInput("1500"), CLOSE: CellInput(niue_today)},
    )
    write(
        session, actor("Ann"), filled.sheet.sheet_id, Batch(adds=(due,)), operation_id=uuid4(), source=ChangeSource.API
    )
    late = {}
    for zone in ("Pacific/Niue", "Pacific/Kiritimati"):
        set_locale(session, actor("Ann"), number_format="1.234,5", time_zone=zone)
        values = metrics(opened("Ann", sheet=str(filled.sheet.sheet_id)))
        late[zone] = values["Overdue"]
    assert late == {"Pacific/Niue": "1", "Pacific/Kiritimati": "2"}
    assert values["Open"] == "€ 4,5 k"


def test_a_hidden_amount_is_omitted_from_tiles_and_bars(opened: Opened, session: Session, filled: Access) -> None:
    """Neither a tile nor a hover text shows zero for an amount that the user can't see."""
    limit_column(session, actor("Ann"), filled.sheet.sheet_id, AMOUNT, {"viewer": "hidden"})
    page = opened("Cleo")
    assert {*metrics(page)} == {"Open deals", "Overdue", "Won this quarter", "Win rate", "Median cycle"}
    assert metrics(page)["Won this quarter"] == "1"
    hovers = [text for chart in charts(page) for trace in chart["data"] for text in trace.get("hovertext") or []]
    assert any(text.endswith("Lead: 1 deal") for text in hovers)
    assert not [text for text in hovers if "€" in text or text.endswith((", 0", ", EUR 0"))]
    assert {"Open", "Weighted", "Average won"} <= {*metrics(opened("Ann"))}
