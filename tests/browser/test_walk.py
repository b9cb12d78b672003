"""The walk of a new user, from the first start to the second: nothing is set up beforehand, the database included.

With CONTRIVANCE_PICTURES=docs/pictures it also takes the pictures of the documentation.
"""

import csv
import io
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.people import Person
from tests.support.server.started import Started

MAVEN = Path(__file__).parents[3] / "shared" / "data" / "maven_crm" / "sales_pipeline.csv"
PASSWORD = "a fine long password"
SECONDS = 1000
SEEDING = 180  # Seconds until the demo is whole: its rows arrive live meanwhile, slowly on a busy machine.


@pytest.fixture
def data() -> Iterator[Path]:
    with TemporaryDirectory(prefix="cwalk-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # As root, the database runs as a user of its own, who must get through.
        yield Path(folder) / "data"


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Take a picture where somebody wants pictures."""
    folder = os.environ.get("CONTRIVANCE_PICTURES")

    def take(page: Page, name: str) -> None:
        if folder:
            page.wait_for_timeout(1200)
            page.screenshot(path=f"{folder}/{name}.png")

    return take


def deals() -> bytes:
    """The Maven pipeline where it is beside the project, else a small one like it."""
    if MAVEN.exists():
        return MAVEN.read_bytes()
    lines = ["opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value"]
    for n in range(300):
        stage, day = ("Won", "Lost", "Engaging")[n % 3], 1 + n % 9
        closed = f"2017-11-0{day}" if stage != "Engaging" else ""
        value = {"Won": str(n * 10), "Lost": "0"}.get(stage, "")
        lines.append(f"D{n:04},Agent {n % 5},Product {n % 3},Account {day},{stage},2017-0{day}-03,{closed},{value}")
    return "\n".join(lines).encode()


def first_link(started: Started) -> str:
    found = re.search(r"http://\S+\?invite=\S+", started.text())
    assert found, started.text()
    return found.group().replace("127.0.0.1", "localhost")


def make_account(page: Page, name: str, email: str | None) -> None:
    if email:
        page.get_by_role("textbox", name="E-mail").fill(email)
    page.get_by_role("textbox", name="Your name").fill(name)
    page.get_by_role("textbox", name="Password", exact=True).fill(PASSWORD)
    page.get_by_role("textbox", name="Password again").fill(PASSWORD)
    page.get_by_role("button", name="Create my account").click()
    expect(page.get_by_role("heading", name="Sheets", exact=True)).to_be_visible(timeout=20 * SECONDS)


def import_into_new_sheet(person: Person, file: Path, name: str) -> int:
    """Through the wizard; the number of rows that it says it brought in."""
    page = person.page
    page.goto(person.url + "/import")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    person.says("Preview")
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.keyboard.press("Tab")
    page.wait_for_timeout(1500)
    page.get_by_role("button", name=re.compile(r"^Import [\d,]+ rows$")).click()
    said = page.get_by_text(re.compile(r"[\d,]+ rows are in"))
    said.wait_for(timeout=60 * SECONDS)
    return int(said.inner_text().split()[0].replace(",", ""))


def test_a_new_user_walks_from_the_first_start_to_the_second(
    browser: Browser, data: Path, tmp_path: Path, picture: Callable[[Page, str], None]
) -> None:
    file = tmp_path / "sales_pipeline.csv"
    file.write_bytes(deals())
    expected = len(file.read_text(encoding="utf-8-sig").strip().splitlines()) - 1
    with Started(data, CONTRIVANCE_DEMO="yes") as started:
        url = started.url.replace("127.0.0.1", "localhost")
        ada = Person(browser, url, "Ada")
        ada.page.goto(first_link(started))
        picture(ada.page, "first-administrator")
        make_account(ada.page, "Ada", "ada@example.com")
        ada.page.get_by_role("link", name="Demo pipeline").first.click(timeout=60 * SECONDS)
        ada.until(lambda: ada.row_count.startswith("600 "), patience=SEEDING)
        picture(ada.page, "grid-desktop-light")

        assert import_into_new_sheet(ada, file, "Maven deals") == expected
        ada.page.get_by_role("link", name=re.compile("Open the sheet|Open the grid|Maven deals")).first.click()
        ada.until(lambda: ada.row_count.startswith(f"{expected:,} "))
        sheet = re.search(r"sheet=(\d+)", ada.page.url)
        assert sheet
        number = int(sheet.group(1))

        ada.page.goto(f"{url}/people")
        ada.page.get_by_role("textbox", name="E-mail").fill("ben@example.com")
        ada.page.get_by_role("button", name="Make an invitation link").click()
        link = ada.page.get_by_text(re.compile(r"\?invite="))
        link.wait_for(timeout=20 * SECONDS)
        ben = Person(browser, url, "Ben")
        ben.page.goto(link.inner_text().strip())
        make_account(ben.page, "Ben", None)
        ada.open_sheet(number)
        ada.page.get_by_role("button", name="Share").click()
        ada.page.get_by_role("dialog").get_by_label("Share with", exact=False).first.click()
        ada.page.get_by_role("option", name=re.compile("Ben")).click()
        ada.page.get_by_role("combobox", name="As").fill("Editor")
        ada.page.get_by_role("option", name=re.compile("Editor")).click()
        ada.page.get_by_role("dialog").get_by_role("button", name="Share", exact=True).last.click()
        ada.page.wait_for_timeout(1500)

        ada.open_sheet(number)
        ben.open_sheet(number)
        ben.select(1, 0).type("Typing goes", then="")
        ada.select(0, 1).type("Changed by Ada").saved()
        ben.sees(0, 1, "Changed by Ada")
        ben.type(" on").saved()
        ada.sees(1, 0, "Typing goes on")

        ada.page.goto(f"{url}/dashboard?sheet={number}")
        ada.says("Pipeline by stage")
        answer = ada.page.request.get(
            f"{url}/api/v1/sheets/{number}/export?format=csv", headers={"X-Contrivance": "1", "Origin": url}
        )
        exported = tmp_path / "exported.csv"
        exported.write_bytes(answer.body())
        assert len(list(csv.reader(io.StringIO(answer.text())))) == expected + 1
        assert import_into_new_sheet(ada, exported, "Maven again") == expected

        take_the_other_pictures(browser, url, picture)
        for person in (ada, ben):
            assert person.errors == []
            person.context.close()
    with Started(data, port=started.port):
        ada = Person(browser, url, "Ada").sign_in(password=PASSWORD)
        ada.page.get_by_role("link", name="Maven again").first.wait_for(timeout=20 * SECONDS)
        ada.open_sheet(number).sees(0, 1, "Changed by Ada")
        ada.context.close()


def take_the_other_pictures(browser: Browser, url: str, picture: Callable[[Page, str], None]) -> None:
    """Dark and phone, when pictures are wanted."""
    if "CONTRIVANCE_PICTURES" not in os.environ:
        return
    for scheme, size, name in (
        ("light", (1400, 1000), "desktop-light"),
        ("dark", (1400, 1000), "desktop-dark"),
        ("light", (390, 844), "phone-light"),
        ("dark", (390, 844), "phone-dark"),
    ):
        one = Person(browser, url, "Ada", color_scheme=scheme).sign_in(password=PASSWORD)
        one.page.get_by_role("heading", name="Sheets", exact=True).wait_for(timeout=20 * SECONDS)
        one.page.set_viewport_size({"width": size[0], "height": size[1]})
        picture(one.page, f"sheets-{name}")
        one.page.get_by_role("link", name="Demo pipeline").first.click()
        one.until(lambda one=one: one.row_count.startswith("600 "))
        picture(one.page, f"grid-{name}")
        for path in ("dashboard", "changes", "import"):
            one.page.goto(f"{url}/{path}")
            one.page.locator("h1").first.wait_for()
            one.page.wait_for_timeout(3000)
            picture(one.page, f"{path}-{name}")
        one.context.close()
