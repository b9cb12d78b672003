"""What only a browser can tell: the policy lets our pages work, nothing foreign is asked for, nobody frames us."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.chromium import MISSING, find
from tests.support.server.started import Started

ARGUMENTS = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def started(browser: Browser) -> Iterator[Started]:
    with TemporaryDirectory(prefix="cbrowser-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        with Started(Path(folder) / "data") as running:
            yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find()
    if path is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS.split(), "--no-first-run"])
        yield made
        made.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    made = browser.new_page()
    yield made
    made.close()


@pytest.mark.parametrize("path", ["/", "/api/docs"])
def test_a_page_works_under_the_policy_and_asks_no_other_host(started: Started, page: Page, path: str) -> None:
    foreign: list[str] = []
    blocked: list[str] = []
    page.on("request", lambda asked: foreign.append(asked.url))
    page.on("console", lambda line: blocked.append(line.text))
    page.goto(started.url + path)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)
    assert page.locator("body").inner_text().strip()
    assert [url for url in foreign if not url.startswith((started.url, "data:", "blob:"))] == []
    assert [line for line in blocked if "Content Security Policy" in line] == []


def test_inline_scripts_do_not_run(started: Started, page: Page) -> None:
    page.goto(started.url + "/api/docs")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
        }"""
    )
    assert page.evaluate("window.ran") is None


def test_another_site_cannot_frame_a_page(started: Started, page: Page) -> None:
    page.set_content(f'<iframe src="{started.url}/"></iframe>')
    page.wait_for_timeout(1500)
    assert "chrome-error" in page.frames[1].url


def test_the_first_page_answers_to_its_name_too(started: Started, page: Page) -> None:
    page.goto(started.url + "/sheets")
    assert page.url == started.url + "/"
    page.get_by_text("Sign in").first.wait_for()
    assert page.get_by_text("Page not found").count() == 0
