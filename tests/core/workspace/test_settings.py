"""The settings of the workspace: their defaults, who changes them, and what they change."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.locale import get_locale, set_locale
from core.audit.trail import AuditFilter, audit_events
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed
from core.workspace.settings import WorkspaceSettings, change_workspace_settings, workspace_settings


def test_a_workspace_without_settings_has_the_defaults(session: Session) -> None:
    assert workspace_settings(session) == WorkspaceSettings("EUR", "UTC", week_start=1, fiscal_year_start=1)


def test_changes_are_stored_and_the_other_settings_stay(session: Session, ada: Actor) -> None:
    change_workspace_settings(session, ada, week_start=7)
    change_workspace_settings(session, ada, fiscal_year_start=4, time_zone="Asia/Tokyo")
    session.info.clear()
    assert workspace_settings(session) == WorkspaceSettings("EUR", "Asia/Tokyo", week_start=7, fiscal_year_start=4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"currency": "Taler"}, "not a currency code"),
        ({"time_zone": "Mars/Olympus"}, "not a time zone"),
        ({"week_start": 3}, "A week starts on"),
        ({"fiscal_year_start": 13}, "from 1 .January. to 12"),
    ],
)
def test_a_value_that_is_not_offered_is_refused(
    session: Session, ada: Actor, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        change_workspace_settings(session, ada, **change)
    assert session.scalar(text("SELECT count(*) FROM workspace_settings")) == 0


def test_only_administrators_change_settings(session: Session, ann: Actor) -> None:
    with pytest.raises(NotAllowed):
        change_workspace_settings(session, ann, week_start=7)


def test_people_without_a_time_zone_have_that_of_the_workspace(session: Session, ada: Actor, ann: Actor) -> None:
    change_workspace_settings(session, ada, time_zone="Europe/Berlin")
    assert get_locale(session, ann).time_zone == "Europe/Berlin"
    set_locale(session, ann, time_zone="America/Lima")
    assert get_locale(session, ann).time_zone == "America/Lima"


def test_the_audit_trail_says_what_changed(session: Session, ada: Actor) -> None:
    change_workspace_settings(session, ada, week_start=7, time_zone="Europe/Berlin")
    (event,) = audit_events(session, ada, AuditFilter(), limit=1)
    assert event.sentence == "Ada changed the workspace: time zone from UTC to Europe/Berlin, week start from 1 to 7"
