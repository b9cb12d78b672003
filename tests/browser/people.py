"""People at a keyboard: one of the cast in a Chromium window of their own, typing at human speed."""

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any, ClassVar, Self
from urllib.parse import quote

from playwright.sync_api import Browser, BrowserContext, expect

from tests.conftest import PASSWORD

HEADER, ROW, MARKERS = 30, 27, 40
# Of the first columns of a pipeline: deal, account, stage, amount, owner, created, expected close.
WIDTHS = (180, 116, 94, 96, 112, 86, 86)
KEY_MS = 40
PATIENCE = 30
STORAGES = "local_storage,indexeddb,cache_storage,service_workers"


class Person:
    """One of the cast with the product open."""

    # What the form gave, by address and name: people sign in once, and not before each test.
    sessions: ClassVar[dict[tuple[str, str], Any]] = {}
    # Contexts of people who have left, by browser and address: their caches save the next one half of a page's start.
    free_contexts: ClassVar[dict[tuple[Browser, str], list[BrowserContext]]] = {}

    def __init__(self, browser: Browser, url: str, name: str, **options: Any) -> None:
        self.name, self.url = name, url
        # A context with options of its own, or with what cannot be removed (a clock, a listener), is not used again.
        self.leaves_context = not options
        self._free_contexts = Person.free_contexts.setdefault((browser, url), [])
        if self._free_contexts and not options:
            self.context = self._free_contexts.pop()
            self.page = self.context.new_page()
            storage = {"origin": url, "storageTypes": STORAGES}
            self.context.new_cdp_session(self.page).send("Storage.clearDataForOrigin", storage)
        else:
            self.context = browser.new_context(viewport={"width": 1400, "height": 860}, **options)
            self.page = self.context.new_page()
        self.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def leave(self) -> None:
        """Close this person's window. Only the browser's cache is left to the next person."""
        if not self.leaves_context:
            self.context.close()
            return
        for page in self.context.pages:
            page.close()
        self.context.set_offline(False)
        self.context.unroute_all()
        self.context.clear_cookies()
        self.context.clear_permissions()
        self._free_contexts.append(self.context)

    def sign_in(self, path: str = "/", password: str = PASSWORD) -> Self:
        """Through the form, like everybody."""
        self.page.goto(self.url + path)
        self.page.get_by_label("E-mail").fill(f"{self.name.lower()}@example.com")
        self.page.get_by_role("textbox", name="Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        return self

    def signed_in(self, path: str = "/") -> Self:
        """At a page, signed in. Through the form where nobody of this name has been there before."""
        if self._bring_session():
            self.page.goto(self.url + path)
        else:
            self.sign_in(path)
        self.page.get_by_role("link", name="Home").first.wait_for(timeout=PATIENCE * 1000)
        Person.sessions[self.url, self.name] = self.context.cookies()
        return self

    def known(self) -> Self:
        """Signed in, perhaps at no page yet."""
        return self if self._bring_session() else self.signed_in()

    def _bring_session(self) -> bool:
        """Whether the session of an earlier window of this person serves for this one, too."""
        cookies = Person.sessions.get((self.url, self.name))
        if not cookies:
            return False
        self.context.add_cookies(cookies)
        answer = self.context.request.get(f"{self.url}/api/v1/me", headers={"X-Contrivance": "1", "Origin": self.url})
        if not answer.ok:
            self.context.clear_cookies()
        return answer.ok

    def open_sheet(self, sheet_id: int, view: dict[str, Any] | None = None) -> Self:
        """Open the grid and wait for its rows."""
        return self.go_to_sheet(sheet_id, view).has_rows()

    def go_to_sheet(self, sheet_id: int, view: dict[str, Any] | None = None) -> Self:
        query = f"&view={quote(json.dumps(view))}" if view else ""
        self.page.goto(f"{self.url}/grid?sheet={sheet_id}{query}", wait_until="commit")
        return self

    def has_rows(self) -> Self:
        self.until(lambda: "row" in self.row_count)
        self.settled().stands_still()
        if not self.row_count.startswith("0 "):
            # The grid draws its cells after it knows how many rows there are. Some first row may be empty.
            first_row = self.page.locator('[data-testid^="glide-cell-"][data-testid$="-0"]')
            with contextlib.suppress(AssertionError):
                self.until(lambda: any(text.strip() for text in first_row.all_text_contents()), patience=5)
        return self

    def settled(self) -> Self:
        """Wait until Streamlit has run the script of the page that was gone to."""
        app = self.page.get_by_test_id("stApp")
        expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENCE * 1000)
        return self

    def stands_still(self) -> Self:
        """Wait until the grid is where it was a moment before: what is drawn above it moves it."""
        canvas, before = self.page.get_by_test_id("data-grid-canvas"), None
        while (box := canvas.bounding_box()) is None or box != before:
            before = box
            self.page.wait_for_timeout(60)
        return self

    # --- the grid

    @property
    def row_count(self) -> str:
        return self.text_of("grid-rows")

    @property
    def saving(self) -> str:
        return self.text_of("grid-saving")

    @property
    def version(self) -> int:
        return int(self.page.get_by_test_id("live-grid").get_attribute("data-version") or 0)

    def cell(self, column: int, row: int) -> str:
        """What a cell shows, both counted from 0."""
        return self.text_of(f"glide-cell-{column + 1}-{row}")

    def select(self, column: int, row: int) -> Self:
        """Click into the row's first column and go right: widths do not matter then."""
        box = self.page.get_by_test_id("data-grid-canvas").bounding_box()
        assert box
        self.page.mouse.click(box["x"] + MARKERS + 60, box["y"] + HEADER + ROW * row + ROW / 2)
        self.page.wait_for_timeout(120)
        for _ in range(column):
            self.page.keyboard.press("ArrowRight")
        self.page.wait_for_timeout(60)
        return self

    def type(self, text: str, *, then: str = "Enter") -> Self:
        self.page.keyboard.type(text, delay=KEY_MS)
        if then:
            self.page.keyboard.press(then)
        return self

    def paste(self, text: str) -> Self:
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.page.keyboard.press("Control+v")
        return self

    def click_header(self, column_left: int) -> Self:
        """Click a column's header; `column_left` is its left edge, in pixels behind the row markers."""
        box = self.page.get_by_test_id("data-grid-canvas").bounding_box()
        assert box
        self.page.mouse.click(box["x"] + MARKERS + column_left + 60, box["y"] + HEADER / 2)
        return self

    def saved(self) -> Self:
        self.until(lambda: "All changes saved" in self.saving)
        return self

    def sees(self, column: int, row: int, text: str) -> Self:
        self.until(
            lambda: self.cell(column, row) == text, lambda: f"{text!r} at {column},{row}: {self.told(column, row)}"
        )
        return self

    def told(self, column: int, row: int) -> str:
        """What this person's grid knows, for a test that failed."""
        if "attention" in (saving := self.saving):
            self.page.get_by_test_id("grid-saving").click()
            self.page.wait_for_timeout(500)
            saving += ": " + self.text_of("grid-attention")
        return f"{self.name} sees {self.cell(column, row)!r} at version {self.version}, and is told {saving!r}"

    def until(
        self, holds: Callable[[], bool], what: str | Callable[[], str] = "", *, patience: float = PATIENCE
    ) -> None:
        """Wait until something holds; in small steps, so that a passing state is not missed."""
        ends = time.monotonic() + patience
        while not holds():
            self.page.wait_for_timeout(30)
            if time.monotonic() > ends:
                raise AssertionError(what() if callable(what) else what or f"waited in vain: {self.stands()}")

    def stands(self) -> str:
        """Where this person is and what the page says, for a test that failed."""
        page = self.page.get_by_test_id("stMain")
        said = " ".join(page.first.inner_text().split())[:400] if page.count() else "nothing"
        return f"{self.name} at {self.page.url}, rows {self.row_count!r}, saving {self.saving!r}, page says: {said}"

    def says(self, text: str) -> Self:
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE * 1000)
        return self

    def text_of(self, testid: str) -> str:
        """What the first of these says now. In one go: what is there when it is counted may be gone when it is read."""
        found = self.page.get_by_test_id(testid).evaluate_all("found => found.map(one => one.textContent)")
        return str(found[0]) if found else ""
