"""An import in the background, as a person sees it: through a reload and the death of the server."""

import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import data_folder
from tests.browser.people import Person
from tests.support.server.started import Started, free_port

ROWS = 100_000
PATIENCE = 90_000


@pytest.mark.exhaustive
def test_an_import_survives_a_reload_and_the_death_of_the_server(
    browser: Browser, own_database: str, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    file = tmp_path / "large.csv"
    file.write_text("Deal;Amount;Note\n" + "".join(f"Deal {n};{n};Some text {n}\n" for n in range(ROWS)))
    data, port = data_folder(tmp_path_factory), free_port()
    with Started(data, port, DATABASE_URL=own_database) as first:
        ann = Person(browser, first.url.replace("127.0.0.1", "localhost"), "Ann").signed_in()
        page = ann.page
        page.goto(f"{ann.url}/import")
        page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
        page.get_by_role("button", name="Import 100,000 rows").click(timeout=PATIENCE)
        cancel = page.get_by_role("button", name="Cancel the import")
        expect(cancel).to_be_visible(timeout=PATIENCE)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    with Started(data, port, DATABASE_URL=own_database):
        page.reload()
        expect(page.get_by_text("100,000 rows are in “Large”.")).to_be_visible(timeout=PATIENCE)
        ada = Person(browser, ann.url, "Ada").signed_in()
        ada.page.goto(f"{ada.url}/system")
        ada.page.get_by_text("Ended in the last 7 days").click(timeout=PATIENCE)
        expect(ada.page.get_by_text("100,000 rows imported.")).to_be_visible(timeout=PATIENCE)
        assert ada.errors == []
    for person in (ann, ada):
        person.context.close()
