"""A page as one of the cast opens it, from the script on: with sign-in, navigation and address."""

from pathlib import Path
from uuid import uuid4

from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from core.credentials.sessions import start_session
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from pages.components.app.navigation import PAGES
from tests.conftest import actor

MAIN = Path(__file__).parents[2] / "pages" / "main.py"


def open_page(session: Session, name: str, file: str, **query: str | int) -> AppTest:
    """The page in `file` (such as work/grid.py) with this address, opened by one of the cast without a page before."""
    session_id, _ = start_session(session, actor(name).user_id, kind="browser", address=None, user_agent="")
    page = AppTest.from_file(str(MAIN), default_timeout=30)
    page.user = {"session": str(session_id)}
    for part, value in query.items():
        page.query_params[part] = str(value)
    page._page_hash = hash_of(file)
    return fine(page.run())


def hash_of(file: str) -> str:
    """How Streamlit knows a page, as switch_page() finds it after a first run."""
    entry = next(entry for entry in PAGES if entry.file == file)
    return calc_hash("" if entry.default else entry.url_path)


def open_piece(session: Session, name: str, call: str) -> AppTest:
    """A piece of a page, alone and for one of the cast: such as `sheet.trash_dialog.show(1)`, however often it runs.

    A dialog that a page opens is closed by the next run of a test, which runs the whole page.
    """
    session_id, _ = start_session(session, actor(name).user_id, kind="browser", address=None, user_agent="")
    module, _, _ = call.partition("(")[0].rpartition(".")
    page = AppTest.from_string(f"import pages.components.{module}\npages.components.{call}", default_timeout=30)
    page.user = {"session": str(session_id)}
    return fine(page.run())


def fine(page: AppTest) -> AppTest:
    """The page, which has shown no traceback."""
    assert not page.exception, page.exception
    return page


def press(page: AppTest, label: str) -> AppTest:
    """Click the button whose label begins so."""
    next(one for one in page.button if one.label.startswith(label)).click()
    return fine(page.run())


def labels(page: AppTest) -> list[str]:
    return [one.label for one in page.button]


def links(page: AppTest) -> list[str]:
    return [one.label for one in page.main.page_link]


def said(page: AppTest) -> str:
    """All that the page says outside of its fields."""
    parts = [*page.title, *page.subheader, *page.markdown, *page.caption, *page.text]
    parts += [*page.error, *page.warning, *page.info, *page.success]
    return "\n".join(str(part.value) for part in parts)


def add_deal(session: Session, name: str, sheet: int, cells: dict[int, str]) -> None:
    """A row of one of the cast's."""
    adds = (NewRow("new", {column: CellInput(text) for column, text in cells.items()}),)
    write(session, actor(name), sheet, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.GRID)


def edit(session: Session, name: str, sheet: int, row: int, cells: dict[int, str]) -> None:
    """An edit of one of the cast's."""
    edits = tuple(Edit(row, column, CellInput(text)) for column, text in cells.items())
    write(session, actor(name), sheet, Batch(edits), operation_id=uuid4(), source=ChangeSource.GRID)
