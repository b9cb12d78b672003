"""Figures of the grid in a real Chromium: first rows, jumps, and how soon an edit is on another screen."""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import text

from core.accounts.accounts import create_user
from core.base.actor import Actor
from core.base.permissions import Role
from core.sheets.sheets import create_sheet
from db import engine as db
from db.start import database, open_engine
from tests.bench.bench_api import EMAIL, FILL, PASSWORD, Client, token
from tests.browser.conftest import ARGUMENTS
from tests.support import chromium
from tests.support.server.started import Started

FEW, MANY = 10_000, 1_000_000
# When a title is drawn, and when the grid's first rows have arrived and a frame has passed.
WATCH = """
(() => {
  const seen = (window.benchSeen = {});
  const look = () => {
    if (!seen.title && document.querySelector("h1")) seen.title = performance.now();
    const rows = performance.getEntriesByType("resource").find((one) => /\\/rows\\?/.test(one.name) && one.responseEnd);
    if (!seen.rows && rows) seen.rows = performance.now();
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""
JUMP = """
async (share) => {
  const scroller = document.querySelector(".dvn-scroller");
  const before = performance.getEntriesByType("resource").length;
  const began = performance.now();
  scroller.scrollTop = scroller.scrollHeight * share;
  for (;;) {
    await new Promise(requestAnimationFrame);
    const fresh = performance.getEntriesByType("resource").slice(before);
    if (fresh.some((one) => /\\/rows\\?/.test(one.name) && one.responseEnd)) break;
    if (performance.now() - began > 10000) return null;
  }
  await new Promise(requestAnimationFrame);
  return performance.now() - began;
}
"""
ARRIVALS = """
() => {
  window.benchArrivals = [];
  const grid = document.querySelector("[data-testid=live-grid]");
  new MutationObserver(() => window.benchArrivals.push(Date.now()))
    .observe(grid, { attributes: true, attributeFilter: ["data-version"] });
}
"""


def main() -> None:
    with server() as (port, few, many), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=ARGUMENTS)
        for line in figures(browser, port, few, many):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        browser.close()


@contextmanager
def server() -> Iterator[tuple[int, int, int]]:
    """The real server with a sheet of ten thousand rows and one of a million."""
    with tempfile.TemporaryDirectory(prefix="cbench-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # As root, the database runs as a user of its own, who must get through.
        data, app_data = Path(folder) / "data", Path(folder) / "app"
        data.mkdir(mode=0o700)
        app_data.mkdir(mode=0o700)
        with database("", "", data) as urls:
            engine = open_engine(urls)
            db.bind(engine)
            few, many = sheets()
            with psycopg.connect(urls.owner, autocommit=True) as owner:
                owner.execute("VACUUM ANALYZE")
            settings = {
                "DATABASE_URL": urls.owner,
                "CONTRIVANCE_APP_DATABASE_URL": urls.app,
                "CONTRIVANCE_LIMITS": "off",
            }
            with Started(app_data, **settings) as started:
                yield started.port, few, many
            engine.dispose()


def sheets() -> list[int]:
    """Fill the sheets through the change log's own functions, each in one version."""
    with db.transaction() as session:
        user_id = create_user(session, None, email=EMAIL, name="Bench", role=Role.ADMIN, password=PASSWORD)
        who = Actor(user_id, "Bench", EMAIL, Role.ADMIN)
    made = []
    for rows in (FEW, MANY):
        with db.transaction() as session:
            sheet = create_sheet(session, who, f"{rows} rows", template="pipeline").sheet.sheet_id
            parameters = {"sheet": sheet, "actor": user_id, "rows": rows}
            session.execute(text("SET LOCAL statement_timeout = 0"))
            session.execute(text("SELECT lock_sheet(:sheet, :actor, 'seed', gen_random_uuid())"), parameters)
            session.execute(text("SELECT next_version(:sheet, :rows)"), parameters)
            session.execute(text(FILL), parameters)
        made.append(sheet)
    return made


def figures(browser: Browser, port: int, few: int, many: int) -> Iterator[str]:
    url = f"http://localhost:{port}"
    context = signed_in(browser, url)
    empty = opened(context, f"{url}/import", "title")
    first_few, first_many = (opened(context, f"{url}/grid?sheet={sheet}", "rows") for sheet in (few, many))
    yield f"an empty page: {empty:.0f} ms"
    yield f"first rows of {FEW:,}: {first_few:.0f} ms, {first_few - empty:+.0f} ms (promised ≤ +400)"
    ratio = first_many / first_few
    yield f"first rows of {MANY:,}: {first_many:.0f} ms, {first_many - empty:+.0f} ms, {ratio:.2f} × (promised ≤ 1.15)"
    page = context.new_page()
    page.goto(f"{url}/grid?sheet={many}")
    page.get_by_test_id("grid-rows").get_by_text(f"{MANY:,} rows").wait_for(timeout=60_000)
    jumps = [page.evaluate(JUMP, share) for share in (0.7, 0.2, 0.95, 0.45, 0.83, 0.1, 0.6)]
    yield f"jump in {MANY:,} rows: {statistics.median(jumps):.0f} ms median, {max(jumps):.0f} ms worst (promised ≤ 400)"
    took = arrivals(page, Client(port, token(port), many))
    yield f"API edit → value in an open browser: {statistics.median(took):.0f} ms median (promised ≤ 40)"


def signed_in(browser: Browser, url: str) -> BrowserContext:
    # wait_for_function evaluates text, which our policy for scripts forbids.
    context = browser.new_context(viewport={"width": 1400, "height": 860}, bypass_csp=True)
    page = context.new_page()
    page.goto(url)
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Sheets", exact=True).wait_for(timeout=30_000)
    page.close()
    context.add_init_script(WATCH)
    return context


def opened(context: BrowserContext, url: str, what: str, times: int = 7) -> float:
    """Milliseconds from the navigation until `what` is there, the median; the first, with a cold cache, is left out."""
    took = []
    for _ in range(times + 1):
        page = context.new_page()
        page.goto(url)
        page.wait_for_function("what => window.benchSeen?.[what]", arg=what, timeout=60_000)
        took.append(float(page.evaluate("what => window.benchSeen[what]", what)))
        page.close()
    return statistics.median(took[1:])


def arrivals(page: Page, client: Client, times: int = 25) -> list[float]:
    """Milliseconds from before an edit is sent to its value being in the open page."""

    page.evaluate(ARRIVALS)
    took: list[float] = []
    for number in range(times):
        page.evaluate("window.benchArrivals.length = 0")
        sent = time.time() * 1000
        client.edit(number + 1, f"{number}.75")
        page.wait_for_function("window.benchArrivals.length > 0")
        arrived: Any = page.evaluate("window.benchArrivals[0]")
        took.append(float(arrived) - sent)
        page.wait_for_timeout(60)
    return took


if __name__ == "__main__":
    main()
