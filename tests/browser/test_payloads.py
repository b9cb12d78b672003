"""Every payload on every page, in a real Chromium: shown literally, and no other host is asked for anything."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import ConsoleMessage, Dialog, Page, Request, expect
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.base.actor import Actor
from core.base.permissions import Level, Role, Scope
from core.column_types.base import Option
from core.comments import comments
from core.credentials.sessions import start_session
from core.edits.batch import Batch, CellInput, Edit
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.rows import read
from core.rows.query import View
from core.sharing import shares
from core.sharing.public_links import create_link
from core.sheets import columns, sheets
from core.sheets.columns import NewColumn
from core.sign_in.api_tokens import create_token
from db import engine as db
from tests.browser.conftest import add
from tests.browser.people import Person
from tests.conftest import actor
from tests.support.payloads import FOREIGN, PAYLOADS
from tests.support.server.started import Started

PATIENCE = 20_000
EXHAUSTIVE = pytest.mark.exhaustive
DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, _, CLOSE = range(1, 8)
ALL = [*PAYLOADS.values()]
NAME = f"{PAYLOADS['script']} {PAYLOADS['image']}"
NAMES = [payload[:100] for payload in ALL]  # As long as a person's name may be.
EMAILS = [f"{re.sub(r'[@ ]', '', payload).lower()}@example.com" for payload in ALL]
EVE = PAYLOADS["image"]  # The name of an administrator, who signs in as eve@example.com.
FILE = "<img src=x onerror=alert(1)> **bold** :red[c] $x^2$"
LIVE = f"[src*='{FOREIGN}'], [href*='{FOREIGN}'], [data*='{FOREIGN}'], [srcset*='{FOREIGN}'], [onerror], [onload]"


@pytest.fixture(scope="module")
def database_url(own_database: str) -> str:
    return own_database


@pytest.fixture(scope="module")
def server_at(own_server: Started) -> Started:
    return own_server


@pytest.fixture(scope="module")
def sheet(database_url: str) -> Iterator[int]:
    """One pipeline whose every name and cell is a payload, beside a sheet named by each; and people named so."""
    engine = db.make_engine(database_url)
    db.bind(engine, join_transaction_mode="conditional_savepoint")
    with db.transaction() as session:
        number = seeded(session)
    add(
        number,
        [
            {DEAL: payload, ACCOUNT: payload, STAGE: payload, AMOUNT: "10", OWNER: f"{place + 6}", CLOSE: "2026-03-10"}
            for place, payload in enumerate(ALL)
        ],
    )
    yield number
    engine.dispose()
    db.bind(None)


def seeded(session: Session) -> int:
    ann = actor("Ann")
    for payload, name, email in zip(ALL, NAMES, EMAILS, strict=True):
        line = {"name": name, "email": email}
        who = session.scalar(text("INSERT INTO users (email, name) VALUES (:email, :name) RETURNING user_id"), line)
        start_session(session, who, kind="browser", address=None, user_agent=payload)
        session.execute(TEAM, line)
        sheets.create_sheet(session, ann, payload, template="blank", description=payload)
    access = sheets.create_sheet(session, ann, NAME, template="pipeline", description=" ".join(ALL[:6]))
    number = access.sheet.sheet_id
    stage = access.column(STAGE)
    new = [Option("", payload, "red") for payload in ALL]
    columns.change_column(session, ann, number, STAGE, options=(*stage.options, *new))
    for payload in ALL:
        columns.add_column(session, ann, number, NewColumn(payload, "text", description=payload))
    for place in range(len(ALL)):
        shares.share_sheet(session, ann, number, place + 6, level=Level.VIEWER)
    shares.share_sheet(session, ann, number, actor("Ben").user_id, level=Level.EDITOR)
    for team in shares.teams_to_share_with(session, get_access(session, ann, number)):
        shares.share_with_team(session, ann, number, team, level=Level.VIEWER)
    seed_eve(session)
    return number


def seed_eve(session: Session) -> None:
    """An administrator whose own name, programs and tokens are payloads."""
    eve = Actor(session.scalar(AS_ADA, {"name": EVE}), EVE, "eve@example.com", Role.ADMIN)
    for payload in ALL:
        start_session(session, eve.user_id, kind="api", address=None, user_agent=payload)
        create_token(session, eve, name=payload, scope=Scope.READ, days=7)


AS_ADA = text("""
    INSERT INTO users (email, name, role, password_hash)
    SELECT 'eve@example.com', :name, role, password_hash FROM users WHERE email = 'ada@example.com' RETURNING user_id
""")


TEAM = text("""
    WITH team AS (INSERT INTO teams (name) VALUES (:name) RETURNING team_id)
    INSERT INTO team_members (team_id, user_id, accepted_at)
    SELECT team_id, user_id, now() FROM team, users WHERE email = :email
""")


@dataclass
class Watched:
    """A person, and everything that their browser did besides showing."""

    person: Person
    foreign: list[str]
    blocked: list[str]
    alerts: list[str]

    @property
    def page(self) -> Page:
        return self.person.page

    def open(self, path: str, shows: str) -> "Watched":
        self.page.goto(f"{self.person.url}/{path}")
        expect(self.page.get_by_text(shows).first).to_be_attached(timeout=PATIENCE)
        self.person.settled()
        return self

    def is_untouched(self) -> None:
        """Nothing was asked of another host, nothing even tried, nothing ran, and nothing stands ready to."""
        self.page.wait_for_timeout(300)
        assert self.page.locator(LIVE).evaluate_all("found => found.map(one => one.outerHTML.slice(0, 200))") == []
        assert (self.foreign, self.blocked, self.alerts) == ([], [], [])

    def shows(self, payloads: list[str]) -> None:
        """Each payload letter by letter, in what is read or in what a field holds."""
        missing = list[str]()

        def all_seen() -> bool:
            seen = squeezed(self.page.evaluate(SEEN))
            missing[:] = [payload for payload in payloads if squeezed(payload) not in seen]
            return not missing

        self.person.until(all_seen, lambda: f"not shown: {missing}")


# Text, the values of fields, and the cells that the grid draws on its canvas and tells to screen readers.
SEEN = """() => [
    document.body.innerText,
    ...[...document.querySelectorAll('input, textarea')].map(one => one.value),
    ...[...document.querySelectorAll('[role=gridcell], [role=columnheader], svg text')].map(one => one.textContent),
].join('\\n')"""


def squeezed(seen: str) -> str:
    """As it looks, and as it is copied: no character is added that nobody sees, but for Streamlit's own in inputs."""
    return re.sub(r"\s+", " ", seen.replace("\u200b", "").replace("\xa0", " "))


@pytest.fixture
def watched(person: Callable[..., Person], sheet: int) -> Callable[..., Watched]:
    def watch(name: str, *, is_known: bool = True) -> Watched:
        seat = person(name).signed_in() if is_known else person(name)
        found = Watched(seat, [], [], [])

        def asked(request: Request) -> None:
            if not request.url.startswith((seat.url, "data:", "blob:")):
                found.foreign.append(request.url)

        def said(line: ConsoleMessage) -> None:
            if FOREIGN in line.text or "Content Security Policy" in line.text:
                found.blocked.append(line.text)

        def alerted(dialog: Dialog) -> None:
            found.alerts.append(dialog.message)
            dialog.dismiss()

        seat.leaves_context = False
        seat.context.on("request", asked)
        seat.page.on("console", said)
        seat.page.on("dialog", alerted)
        return found

    return watch


def test_the_grid_shows_cells_columns_and_the_name(watched: Callable[[str], Watched], sheet: int) -> None:
    ann = watched("Ann")
    ann.person.open_sheet(sheet)
    for row, payload in enumerate(ALL):
        assert ann.person.cell(0, row) == payload
        assert ann.person.cell(1, row) == payload
    ann.page.locator(".st-key-about_sheet button").click()
    ann.shows([NAME])
    ann.is_untouched()


def test_a_payload_that_is_typed_pasted_or_refused_stays_text(watched: Callable[[str], Watched], sheet: int) -> None:
    """Typed into cells as one block, and refused by another with its reason."""
    ann = watched("Ann")
    ann.person.open_sheet(sheet)
    ann.person.select(1, 0).paste("\n".join(ALL))
    ann.person.saved()
    ann.person.select(3, 0).paste(PAYLOADS["image"])
    ann.page.wait_for_timeout(1500)
    ann.shows([PAYLOADS["image"]])
    ann.is_untouched()


def test_two_payloads_in_conflict_are_shown_side_by_side(watched: Callable[[str], Watched], sheet: int) -> None:
    mine, theirs = PAYLOADS["image"], PAYLOADS["svg"]
    ann = watched("Ann")
    ann.person.open_sheet(sheet).select(ACCOUNT - 1, 3).type(mine, then="")
    batch = Batch(edits=(Edit(4, ACCOUNT, CellInput(theirs)),))
    with db.transaction() as session:
        write(session, actor("Ben"), sheet, batch, operation_id=uuid4(), source=ChangeSource.API)
    note = ann.page.get_by_test_id("grid-meanwhile")
    expect(note).to_contain_text(theirs[:40], timeout=PATIENCE)
    ann.page.keyboard.press("Enter")
    ann.person.until(lambda: "attention" in ann.person.saving)
    ann.page.keyboard.press("ArrowUp")
    card = ann.page.get_by_test_id("grid-conflict").first
    expect(card).to_contain_text(mine)
    expect(card).to_contain_text(theirs)
    ann.is_untouched()
    card.get_by_text("Take theirs").click()
    ann.person.saved()


def test_a_partner_is_shown_payloads_letter_by_letter(watched: Callable[..., Watched], sheet: int) -> None:
    with db.transaction() as session:
        _, token = create_link(session, actor("Ann"), sheet, name="Partner")
    partner = watched("Partner", is_known=False)
    partner.page.goto(f"{partner.person.url}/l/{token}")
    partner.person.until(lambda: "row" in partner.person.row_count)
    for row, payload in enumerate(ALL):
        partner.person.sees(0, row, payload)
    partner.shows([NAME])
    partner.is_untouched()


@pytest.mark.parametrize(
    ("path", "name", "payloads"),
    [
        ("", "Ann", ALL),
        pytest.param("columns", "Ann", ALL, marks=EXHAUSTIVE),
        ("changes", "Ann", ALL),
        pytest.param("audit", "Ada", ALL, marks=EXHAUSTIVE),
        pytest.param("colleagues", "Ann", [*NAMES, *EMAILS], marks=EXHAUSTIVE),
        ("people", "Ada", [*NAMES, *EMAILS]),
        pytest.param("teams", "Ada", [*NAMES, *EMAILS], marks=EXHAUSTIVE),
        ("security", "Eve", [*NAMES, *EMAILS]),
        # Of what people write it shows nothing but the name of whoever looks.
        pytest.param("system", "Eve", [EVE], marks=EXHAUSTIVE),
        pytest.param("profile", "Eve", [EVE], marks=EXHAUSTIVE),
        pytest.param("import", "Ann", [NAME], marks=EXHAUSTIVE),
    ],
)
def test_a_page_shows_payloads_letter_by_letter(
    watched: Callable[[str], Watched], sheet: int, path: str, name: str, payloads: list[str]
) -> None:
    seat = watched(name)
    seat.open(f"{path}?sheet={sheet}", path.capitalize() or "Sheets")
    seat.shows(payloads)
    seat.is_untouched()


@pytest.mark.exhaustive
def test_programs_are_named_letter_by_letter_where_they_are_unfolded(
    watched: Callable[[str], Watched], sheet: int
) -> None:
    eve = watched("Eve").open("security", "Security")
    eve.page.get_by_text(f"Programs · {len(ALL)}").click()
    eve.person.says("Program · ")
    eve.shows([payload[:60] for payload in ALL])
    eve.is_untouched()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("path", "tab", "payloads"),
    [
        ("security", "What happened", NAMES),
        ("profile", "API tokens", ALL),
        ("profile", "Where you are signed in", [payload[:60] for payload in ALL]),
    ],
)
def test_a_tab_shows_payloads_letter_by_letter_once_it_is_opened(
    watched: Callable[[str], Watched], sheet: int, path: str, tab: str, payloads: list[str]
) -> None:
    eve = watched("Eve").open(path, path.capitalize())
    eve.page.get_by_role("tab", name=tab).click()
    eve.shows(payloads)
    eve.is_untouched()


@pytest.mark.exhaustive
def test_the_charts_and_what_they_say_under_the_mouse(watched: Callable[[str], Watched], sheet: int) -> None:
    """Their labels are shortened: tests/pages/test_charts.py has them letter by letter."""
    ann = watched("Ann").open(f"dashboard?sheet={sheet}", "Dashboard")
    charts = ann.page.locator(".js-plotly-plot")
    expect(charts.first.locator("svg").first).to_be_attached(timeout=PATIENCE)
    for chart in charts.all():
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        assert box
        for share in (0.2, 0.4, 0.6, 0.8):
            ann.page.mouse.move(box["x"] + 180, box["y"] + box["height"] * share)
            ann.page.wait_for_timeout(60)
    assert charts.locator("a, image[href*='//']").count() == 0
    ann.shows([PAYLOADS["sql"]])
    ann.is_untouched()


@pytest.mark.parametrize(
    "opener", ["Share", *(pytest.param(name, marks=EXHAUSTIVE) for name in ("Export", "Settings", "Trash"))]
)
def test_a_dialog_shows_payloads_letter_by_letter(watched: Callable[[str], Watched], sheet: int, opener: str) -> None:
    ann = watched("Ann")
    ann.person.open_sheet(sheet)
    if opener != "Share":
        ann.page.get_by_role("button", name="More", exact=True).click()
        ann.page.get_by_role("menuitem", name=opener).click()
    else:
        ann.page.get_by_role("button", name=opener, exact=True).first.click()
    expect(ann.page.get_by_role("dialog")).to_be_visible(timeout=PATIENCE)
    ann.page.wait_for_timeout(800)
    ann.shows({"Share": [*NAMES, *EMAILS], "Settings": [NAME, *ALL[:6]]}.get(opener, []))
    ann.is_untouched()


@pytest.mark.exhaustive
def test_the_public_links_of_the_sharing_dialog_show_payloads(watched: Callable[[str], Watched], sheet: int) -> None:
    with db.transaction() as session:
        for payload in ALL:
            create_link(session, actor("Ann"), sheet, name=payload)
    ann = watched("Ann")
    ann.person.open_sheet(sheet)
    ann.page.get_by_role("button", name="Share", exact=True).first.click()
    ann.page.get_by_role("dialog").get_by_role("tab", name="Public links").click()
    ann.shows(NAMES)
    ann.is_untouched()


@pytest.mark.exhaustive
def test_a_row_beside_the_grid_and_its_history(watched: Callable[[str], Watched], sheet: int) -> None:
    ann = watched("Ann")
    for row in (1, 2, 4):
        ann.person.open_sheet(sheet).select(0, row)
        ann.page.get_by_text("Open row").first.click()
        drawer = ann.page.get_by_role("dialog")
        drawer.get_by_role("tab", name="History").click()
        expect(drawer.get_by_text(re.compile("row added"))).to_be_visible(timeout=PATIENCE)
        ann.shows([ALL[row]])
        ann.is_untouched()


@pytest.mark.exhaustive
def test_the_comments_of_a_row(watched: Callable[[str], Watched], sheet: int) -> None:
    for payload in ALL:
        with db.transaction() as session:
            comments.add_comment(session, actor("Ann"), sheet, 1, payload)
    ben = watched("Ben")
    ben.person.open_sheet(sheet).select(0, 0)
    ben.page.get_by_text("Open row").first.click()
    drawer = ben.page.get_by_role("dialog")
    drawer.get_by_role("tab", name="Comments").click()
    expect(drawer.get_by_text(PAYLOADS["script"], exact=True).last).to_be_visible(timeout=PATIENCE)
    said = squeezed(drawer.inner_text())
    assert [payload for payload in ALL if squeezed(payload) not in said] == []
    ben.is_untouched()


def test_a_file_of_payloads_is_shown_before_it_is_imported(
    watched: Callable[[str], Watched], sheet: int, tmp_path: Path
) -> None:
    """In the names of its columns, in what does not fit, and in the preview."""
    told = io.StringIO()
    writer = csv.writer(told)
    writer.writerow(["Deal", "Amount", *ALL[:6]])
    writer.writerows([payload, payload, *ALL[:6]] for payload in ALL)
    file = tmp_path / f"{FILE}.csv"
    file.write_text(told.getvalue())
    ann = watched("Ann").open(f"import?sheet={sheet}", "Import")
    ann.page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    ann.person.says("Preview")
    ann.shows([*ALL[:10], file.name])  # As many rows as are seen of the preview at once.
    ann.is_untouched()


@pytest.mark.exhaustive
def test_a_file_of_payloads_becomes_a_sheet_named_after_it(
    watched: Callable[[str], Watched], sheet: int, tmp_path: Path
) -> None:
    """The name that is proposed, and what is said of the sheet and its new columns when they are there."""
    told = io.StringIO()
    csv.writer(told).writerows([ALL, range(len(ALL))])
    file = tmp_path / f"{FILE}.csv"
    file.write_text(told.getvalue())
    ann = watched("Ann").open("import", "Import")
    ann.page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    ann.person.says("Preview")
    expect(ann.page.get_by_role("textbox", name="Name", exact=True)).to_have_value(FILE)
    ann.page.get_by_role("button", name="Import 1 rows").click()
    ann.person.says("1 rows are in")
    ann.shows([f"“{FILE}”", *ALL])
    ann.is_untouched()


@pytest.mark.exhaustive
def test_a_toast_says_a_payload_as_text(watched: Callable[[str], Watched], sheet: int) -> None:
    ann = watched("Ann").open(f"columns?sheet={sheet}", "Columns")
    ann.page.get_by_role("button", name=PAYLOADS["script"]).first.click()
    ann.page.get_by_role("button", name="Retire", exact=True).first.click()
    expect(ann.page.get_by_test_id("stToast").first).to_be_visible(timeout=PATIENCE)
    ann.shows([PAYLOADS["script"]])
    ann.is_untouched()


def test_nothing_of_it_ran_on_the_way_in(sheet: int) -> None:
    """The table that one of them would drop is there, with every row."""
    with db.transaction() as session:
        found = read.row_count(session, get_access(session, actor("Ann"), sheet), View())
    assert found == len(ALL)
