"""What a screen reader and weak eyes need: axe finds nothing on the main pages, the filter's editor open."""

from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.people import Person

Seat = Callable[..., Person]
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
# Streamlit writes its sections into one list; nothing of ours is in there.
NOT_OURS = {"exclude": [['[data-testid="stSidebarNav"]']]}


def faults(page: Page) -> list[str]:
    """What axe finds: the rule, and the first elements that break it."""
    violations = Axe().run(page, context=NOT_OURS, options={"runOnly": LEVELS}).response["violations"]
    return [f"{rule['id']}: {[node['html'][:120] for node in rule['nodes'][:3]]}" for rule in violations]


def test_axe_finds_nothing_on_the_main_pages(person: Seat, make_sheet: Callable[..., int]) -> None:
    ann, sheet = person("Ann").signed_in(), make_sheet(5)
    found = {"home": faults(ann.settled().page)}
    ann.open_sheet(sheet, {"filter": [{"column": 3, "op": "is_not_empty"}]})
    ann.page.get_by_role("button", name="Filter", exact=True).first.click()
    ann.page.get_by_role("combobox", name="Column").wait_for()
    found["sheet"] = faults(ann.settled().page)
    for path, heading in (("dashboard", "Dashboard"), ("columns", "Columns"), ("profile", "Profile")):
        ann.page.goto(f"{ann.url}/{path}?sheet={sheet}")
        ann.page.get_by_role("heading", name=heading).first.wait_for()
        found[path] = faults(ann.settled().page)
    assert {name: each for name, each in found.items() if each} == {}
