"""People at keyboards: editors in real Chromium who type at human speed, some of them into the same cells."""

import asyncio
import json
import time
from random import Random
from typing import Any, Self

from playwright.async_api import Browser, Page, Request, Response

from tests.bench.bench_api import PASSWORD
from tests.bench.live_ledger import Ledger
from tests.browser.people import HEADER, MARKERS, ROW

# When a key ended an editor, and when the grid showed which version: by the machine's clock, observed in the page.
WATCH = """
() => {
  window.benchEnters = [];
  window.benchShown = [];
  const now = () => performance.timeOrigin + performance.now();
  window.addEventListener("keydown", (event) => event.key === "Enter" && window.benchEnters.push(now()), true);
  const grid = document.querySelector("[data-testid=live-grid]");
  new MutationObserver(() => window.benchShown.push([Number(grid.dataset.version), now()]))
    .observe(grid, { attributes: true, attributeFilter: ["data-version"] });
}
"""


class Typist:
    """One person in a window of their own; what the window sends and is answered goes into the ledger."""

    def __init__(self, page: Page, who: int, sheet: int, ledger: Ledger) -> None:
        self.page, self.who, self.sheet, self.ledger = page, who, sheet, ledger
        self.typed = 0
        self.left_the_window: set[str] = set()  # Which of the typed values were ever sent.
        self.answered: dict[str, int] = {}  # By typed value: the version that its first answer wrote; 0 for none.
        page.on("request", self._sent)
        page.on("response", lambda response: asyncio.ensure_future(self._received(response)))

    @classmethod
    async def open(cls, browser: Browser, url: str, who: int, sheet: int, ledger: Ledger) -> Self:
        context = await browser.new_context(viewport={"width": 1400, "height": 860})
        page = await context.new_page()
        await page.goto(url)
        await page.get_by_label("E-mail").fill(f"bench{who}@example.com")
        await page.get_by_role("textbox", name="Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("heading", name="Sheets", exact=True).wait_for(timeout=60_000)
        typist = cls(page, who, sheet, ledger)
        await page.goto(f"{url}/grid?sheet={sheet}")
        await page.get_by_test_id("grid-rows").get_by_text(" rows").wait_for(timeout=60_000)
        await page.wait_for_timeout(1500)
        await page.evaluate(WATCH)
        return typist

    async def work(self, seconds: float, rows: int) -> None:
        """Type one value after the other into the first column of some row; decide conflicts as they come."""
        chance, ends = Random(self.who), time.monotonic() + seconds
        while time.monotonic() < ends:
            await self._select(chance.randrange(rows))
            for key in self.value(self.typed):
                await self.page.keyboard.press(key)
                await asyncio.sleep(chance.uniform(0.04, 0.12))
            await self.page.keyboard.press("Enter")
            self.typed += 1
            await asyncio.sleep(chance.uniform(0.1, 0.5))
            await self._decide(chance)
        await self._settle()

    def value(self, number: int) -> str:
        """What this person types as number so-and-so; nobody types it twice."""
        return f"{self.who}-{number}"

    async def shown(self) -> list[tuple[int, float]]:
        """Which version the window showed from when on."""
        return [(version, at) for version, at in await self.page.evaluate("window.benchShown")]

    async def enters(self) -> list[float]:
        return list(await self.page.evaluate("window.benchEnters"))

    async def _select(self, line: int) -> None:
        box = await self.page.get_by_test_id("data-grid-canvas").bounding_box()
        assert box
        await self.page.mouse.click(box["x"] + MARKERS + 60, box["y"] + HEADER + ROW * line + ROW / 2)
        await asyncio.sleep(0.15)

    async def _decide(self, chance: Random) -> None:
        """Conflicts are listed: keep mine or take theirs, whichever."""
        while "attention" in await self._saving():
            panel = self.page.get_by_test_id("grid-attention")
            if not await panel.count():
                await self.page.get_by_test_id("grid-saving").click()
            name = chance.choice(["Keep mine", "Take theirs"])
            await panel.get_by_role("button", name=name).first.click(timeout=10_000)
            await asyncio.sleep(0.3)

    async def _settle(self) -> None:
        """Until everything is answered and nothing waits to be decided."""
        for _ in range(200):
            await self._decide(Random(0))
            if await self._saving() == "All changes saved":
                return
            await asyncio.sleep(0.1)

    async def _saving(self) -> str:
        return await self.page.get_by_test_id("grid-saving").first.text_content() or ""

    def _sent(self, request: Request) -> None:
        if request.method == "PATCH" and request.post_data:
            body = json.loads(request.post_data)
            self.ledger.send(body["operation_id"], self.who, self.sheet, body["edits"])
            self.left_the_window |= {edit["text"] for edit in body["edits"] if edit.get("text")}

    async def _received(self, response: Response) -> None:
        request = response.request
        if request.method != "PATCH" or response.status != 200 or not request.post_data:
            return
        outcome: dict[str, Any] = await response.json()
        sent = self.ledger.sent[json.loads(request.post_data)["operation_id"]]
        # A value that is kept after a conflict is sent again by a click, not by the key that ended its editor.
        for edit in json.loads(request.post_data)["edits"]:
            self.answered.setdefault(edit.get("text") or "", outcome["version"] if outcome["saved"] else 0)
        sent.outcome = outcome
