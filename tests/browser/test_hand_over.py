"""A file that a page makes for one person reaches that person alone: it never lies at an address."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.people import Person

PATIENCE = 20_000
FILE = "Deal,Amount\nAcme,5\n=1+1,many\n"


def test_the_lines_to_mend_come_through_the_page_and_no_address(
    person: Callable[..., Person], make_sheet: Callable[..., int], tmp_path: Path
) -> None:
    file = tmp_path / "deals.csv"
    file.write_text(FILE)
    ann = person("Ann").signed_in(f"/import?sheet={make_sheet(1)}")
    asked: list[str] = []
    ann.page.on("request", lambda request: asked.append(request.url))
    ann.page.goto(f"{ann.url}/import?sheet={make_sheet(1)}")
    ann.page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    with ann.page.expect_download(timeout=PATIENCE) as started:
        ann.page.get_by_role("button", name="Download these lines as CSV").click()
    assert started.value.suggested_filename == "lines-to-mend.csv"
    lines = Path(started.value.path()).read_text("utf-8-sig").splitlines()
    assert lines == ["Line,Reason,Deal,Amount", "3,Amount: “many” is not a number.,'=1+1,many"]
    assert [url for url in asked if not url.startswith((ann.url, "blob:", "data:"))] == []
    served = [url for url in asked if url.startswith(f"{ann.url}/media/")]
    assert [url for url in served if not url.endswith(".png")] == [], "only the page's own icon lies there"
    with ann.page.expect_download(timeout=PATIENCE):
        ann.page.get_by_role("link", name="Save it once more").click()
    expect(ann.page.get_by_text("lines-to-mend.csv is ready")).to_be_visible()
    with ann.page.expect_download(timeout=PATIENCE):
        ann.page.get_by_role("button", name="Download these lines as CSV").click()
