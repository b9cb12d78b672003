"""The import page, as a person goes through it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.access.access import Access
from core.credentials.sessions import start_session
from core.imports.import_job import IMPORT
from core.jobs.worker import run_due
from core.sheets.columns import change_column
from db.engine import transaction
from tests.conftest import actor

ROOT = Path(__file__).parents[2]
CSV = b"Deal;Stage;Amount;Expected close\nAcme;Lead;1.200,50;31.12.2026\nGlobex;Won;99;01.02.2026\n"
PIPELINE = b"deal,stage,value\n" + b"".join(
    f"D{n},{stage},{n * 10}\n".encode() for n in range(4) for stage in ("Prospecting", "Won", "Lost")
)
Opened = Callable[[str], AppTest]


@pytest.fixture
def opened(session: Session, deals: Access) -> Opened:
    def open_page(name: str) -> AppTest:
        session_id, _ = start_session(session, actor(name).user_id, kind="browser", address=None, user_agent="")
        page = AppTest.from_file(str(ROOT / "pages/work/imports.py"), default_timeout=30)
        page.user = {"session": str(session_id)}
        return page.run()

    return open_page


def finish(page: AppTest, label: str = "Import") -> AppTest:
    """Click the last button, have the worker do its part, and look again."""
    button(page, label).click()
    page.run()
    run_due([IMPORT], transaction)
    return page.run()


def upload(page: AppTest, content: bytes, name: str = "deals.csv") -> AppTest:
    page.file_uploader[0].set_value((name, content, "text/csv"))
    return page.run()


def into(page: AppTest, sheet: Access) -> AppTest:
    page.selectbox[0].set_value(sheet.sheet.sheet_id)
    return page.run()


def texts(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.error, *page.info, *page.success, *page.warning]
    return "\n".join(str(part.value) for part in parts)


def button(page: AppTest, label: str) -> "object":
    return next(one for one in page.button if one.label.startswith(label))


def rows_of(session: Session, sheet: int) -> list[str]:
    found = session.execute(
        text("SELECT values::text FROM rows WHERE sheet_id = :sheet ORDER BY row_id"), {"sheet": sheet}
    )
    return [row[0] for row in found]


def test_the_page_says_what_was_found_and_writes_nothing(opened: Opened, deals: Access, session: Session) -> None:
    page = upload(into(opened("Ann"), deals), CSV)
    assert not page.exception
    assert "2 rows, 4 columns" in texts(page)
    assert "semicolon" in texts(page)
    assert rows_of(session, deals.sheet.sheet_id) == []


def test_a_file_goes_into_an_existing_sheet(opened: Opened, deals: Access, session: Session) -> None:
    page = upload(into(opened("Ann"), deals), CSV)
    finish(page)
    assert "2 rows are in “Deals”" in texts(page)
    assert rows_of(session, deals.sheet.sheet_id)[0] == ('{"1": "Acme", "3": "o1", "4": 1200.5, "7": "2026-12-31"}')


def test_a_file_becomes_a_new_pipeline(opened: Opened, session: Session) -> None:
    page = upload(opened("Ann"), PIPELINE, "my_pipeline.csv")
    assert page.text_input[0].value == "My pipeline"
    assert page.toggle[0].value is True
    finish(page)
    assert "12 rows are in “My pipeline”" in texts(page)
    settings, options = session.execute(
        text("SELECT s.settings, c.options FROM sheets s JOIN columns c USING (sheet_id) WHERE c.name = 'stage'")
    ).one()
    assert settings["pipeline"] == {"stage": 2, "amount": 3}
    assert [(one["label"], one["kind"], one["probability"]) for one in options] == [
        ("Prospecting", "open", 10),
        ("Won", "won", 100),
        ("Lost", "lost", 0),
    ]


def test_values_that_do_not_fit_wait_for_a_decision(opened: Opened, deals: Access, session: Session) -> None:
    page = upload(into(opened("Ann"), deals), b"Deal,Amount\nA,5\nB,6\nC,many\n")
    assert "1 value does not fit" in texts(page)
    assert "Line 4" in texts(page)
    assert button(page, "Import").disabled
    next(one for one in page.selectbox if "does not fit" in one.label).set_value("empty")
    page.run()
    finish(page)
    assert "Cells left empty: 1" in texts(page)
    assert len(rows_of(session, deals.sheet.sheet_id)) == 3


def test_a_new_column_can_be_made_text_where_values_do_not_fit(opened: Opened, session: Session) -> None:
    lines = b"".join(b"%d\n" % number for number in range(40))
    page = upload(opened("Ann"), b"figure\n" + lines + b"many\n")
    next(one for one in page.selectbox if "does not fit" in one.label).set_value("text")
    page.run()
    assert "does not fit" not in texts(page)
    finish(page)
    assert "41 rows" in texts(page)


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"\x89PNG\r\n\x1a\n", "picture"), (b"Deal,Amount\n", "no rows"), (b" ", "empty")]
)
def test_a_file_that_is_no_csv_gets_one_sentence(opened: Opened, content: bytes, sentence: str) -> None:
    page = upload(opened("Ann"), content)
    assert not page.exception
    assert [sentence in one.value for one in page.error] == [True]


def test_who_only_reads_is_told_the_way(opened: Opened) -> None:
    page = opened("Cleo")
    assert "Ask an owner" in texts(page)
    assert not page.file_uploader


def test_the_page_of_a_running_import_survives_a_reload_and_cancels_it(
    opened: Opened, deals: Access, session: Session
) -> None:
    page = upload(into(opened("Ann"), deals), CSV)
    button(page, "Import").click()
    page.run()
    again = opened("Ann")
    assert "the import goes on" in texts(again)
    assert not again.file_uploader
    button(again, "Cancel the import").click()
    again.run()
    assert run_due([IMPORT], transaction) == 0
    page.run()
    assert "The import was cancelled. Nothing was imported." in texts(page)
    assert rows_of(session, deals.sheet.sheet_id) == []
    button(page, "Start again").click()
    assert page.run().file_uploader


def test_a_refused_import_says_why_to_the_person_who_started_it(
    opened: Opened, deals: Access, session: Session
) -> None:
    page = upload(into(opened("Ann"), deals), CSV)
    button(page, "Import").click()
    page.run()
    change_column(session, actor("Ann"), deals.sheet.sheet_id, 1, name="Opportunity")
    session.execute(text("UPDATE columns SET rules = '{\"required\": true}' WHERE column_id = 2"))
    run_due([IMPORT], transaction)
    page.run()
    assert "must not be empty in this sheet" in texts(page)


def test_nobody_else_sees_the_job_of_an_import(opened: Opened, deals: Access, session: Session) -> None:
    page = upload(into(opened("Ann"), deals), CSV)
    button(page, "Import").click()
    page.run()
    number = page.query_params["job"][0]
    for name in ("Ben", "Ada"):
        other = opened(name)
        other.query_params["job"] = number
        other.run()
        assert "the import goes on" not in texts(other)
