"""The locale of a user: how dates, numbers and times are written for them."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core.base.actor import Actor
from core.base.errors import Invalid
from core.workspace.settings import SETTING_NAMES, cache_settings, time_zones
from db.tables.sheets import User

DATE_FORMATS = ("iso", "day first", "month first")
# By example, and the browser locale that writes numbers like it. English ones (en-DE) write money another way.
NUMBER_FORMATS = {"1,234.5": "en-US", "1.234,5": "de-DE", "1 234,5": "fr-FR", "1’234.5": "de-CH"}


@dataclass(frozen=True, slots=True)
class Locale:
    """One of DATE_FORMATS, one of NUMBER_FORMATS, and an IANA time zone."""

    date_format: str = DATE_FORMATS[0]
    number_format: str = "1,234.5"
    time_zone: str = "UTC"

    @classmethod
    def from_stored(cls, stored: dict[str, Any]) -> Self:
        """Return the locale in the stored preferences of a user, with the defaults where they have none."""
        return cls(**{field.name: stored[field.name] for field in fields(cls) if field.name in stored})

    @property
    def zone(self) -> ZoneInfo:
        """The time zone for calculations."""
        return ZoneInfo(self.time_zone)


def today(locale: Locale) -> date:
    """Return the current date in the user's time zone, from which periods and ages are calculated."""
    return datetime.now(locale.zone).date()


def get_locale(session: Session, actor: Actor) -> Locale:
    """Return the locale of the acting user, in the workspace's time zone unless they have chosen one."""
    row = session.execute(_READ, {"user": actor.user_id, "names": list(SETTING_NAMES)}).one_or_none()
    preferences, settings = row or ({}, {})
    workspace = cache_settings(session, settings or {})
    return Locale.from_stored({"time_zone": workspace.time_zone} | (preferences or {}))


def own_time_zone(session: Session, actor: Actor) -> str | None:
    """Return the time zone that the acting user has chosen; None where they have that of the workspace."""
    zone: str | None = _stored(session, actor).get("time_zone")
    return zone


def set_locale(session: Session, actor: Actor, **settings: str) -> None:
    """Store fields of the acting user's Locale. Raises Invalid on a value that is not offered."""
    allowed = {"date_format": DATE_FORMATS, "number_format": tuple(NUMBER_FORMATS), "time_zone": time_zones()}
    for name, value in settings.items():
        if value not in allowed[name]:
            raise Invalid(f"“{value}” is not one of the choices for the {name.replace('_', ' ')}.")
    merged = _stored(session, actor) | settings
    session.execute(update(User).where(User.user_id == actor.user_id).values(preferences=merged))


def _stored(session: Session, actor: Actor) -> dict[str, Any]:
    return session.scalar(select(User.preferences).where(User.user_id == actor.user_id)) or {}


_READ = text("""
    SELECT preferences, (SELECT jsonb_object_agg(name, value) FROM workspace_settings WHERE name = ANY(:names))
    FROM users WHERE user_id = :user
""")
