"""The page Audit in a browser: an owner narrows it and takes a file away, which the administrator sees."""

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.base.permissions import Level
from core.sharing.public_links import create_link
from core.sharing.shares import share_sheet
from core.sharing.teams import add_member, create_team
from db import engine as db
from tests.browser.people import Person
from tests.conftest import actor

Seat = Callable[..., Person]
PATIENCE = 30_000


@pytest.mark.exhaustive
def test_an_owner_narrows_the_trail_and_its_file_is_told_to_the_administrator(
    person: Seat, make_sheet: Callable[..., int]
) -> None:
    sheet = make_sheet(1)
    with db.transaction() as session:
        share_sheet(session, actor("Ann"), sheet, actor("Dan").user_id, level=Level.COMMENTER)
        create_link(session, actor("Ann"), sheet, name="Partner <b>x</b>", password="a long password")
        add_member(session, actor("Ada"), create_team(session, actor("Ada"), "North"), actor("Ben").user_id)
    ann = person("Ann").signed_in("/audit")
    expect(
        ann.page.get_by_text("Ann created the public link “Partner <b>x</b>” to “Deals”, with a password")
    ).to_be_visible(timeout=PATIENCE)
    expect(ann.page.get_by_text("North")).to_have_count(0)
    ann.page.get_by_label("Search").fill("dan")
    ann.page.get_by_label("Search").press("Enter")
    expect(ann.page.get_by_text("created the public link")).to_have_count(0, timeout=PATIENCE)
    expect(ann.page.get_by_text("Ann shared “Deals” with Dan as commenter")).to_be_visible()
    link = ann.page.get_by_role("link", name="Export")
    expect(link).to_have_attribute("href", "/api/v1/audit/export?search=dan")
    with ann.page.expect_download() as download:
        link.click()
    lines = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_bytes().decode(), newline="")))
    assert [line["what"] for line in lines] == ["Ann shared “Deals” with Dan as commenter"]
    ada = person("Ada").signed_in("/audit")
    expect(ada.page.get_by_text("Ann exported 1 event of the audit trail")).to_be_visible(timeout=PATIENCE)
    expect(ada.page.get_by_text("Ada added Ben to the team “North”")).to_be_visible()
    if folder := os.environ.get("AUDIT_PICTURES"):
        for who in (ada, ann):
            for scheme in ("light", "dark"):
                who.page.emulate_media(color_scheme=scheme)
                for width in (1400, 390):
                    who.page.set_viewport_size({"width": width, "height": 900})
                    who.page.wait_for_timeout(1500)
                    who.page.screenshot(path=f"{folder}/{who.name}-{scheme}-{width}.png")
        ada.page.set_viewport_size({"width": 1400, "height": 900})
        ada.page.goto(ada.url + "/security")
        ada.page.get_by_role("tab", name="What happened").click()
        ada.page.wait_for_timeout(2500)
        ada.page.screenshot(path=f"{folder}/security.png")
