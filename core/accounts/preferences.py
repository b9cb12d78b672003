"""How one person likes dates, numbers and moments to be written."""

from datetime import date, datetime
from functools import lru_cache
from typing import Any, Self
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.base.actor import Actor
from core.base.errors import Invalid
from db.tables.sheets import User

DATE_FORMATS = ("iso", "day first", "month first")
# As it looks, and the locale by which browsers write it so. English ones (en-DE) write money another way than numbers.
NUMBER_FORMATS = {"1,234.5": "en-US", "1.234,5": "de-DE", "1 234,5": "fr-FR", "1’234.5": "de-CH"}
AT_FIRST = {"date_format": DATE_FORMATS[0], "number_format": "1,234.5", "time_zone": "UTC"}


class Writing(str):
    """The name of a person's date format, which carries their time zone and number format along."""

    __slots__ = ("number_format", "time_zone")
    number_format: str
    time_zone: str

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        """From a person's preferences."""
        kept = AT_FIRST | stored
        made = cls(kept["date_format"])
        made.number_format, made.time_zone = kept["number_format"], kept["time_zone"]
        return made


def today(writing: Writing) -> date:
    """The present day where the person is, by which their periods and ages are reckoned."""
    return datetime.now(ZoneInfo(writing.time_zone)).date()


def preferences(session: Session, actor: Actor) -> dict[str, Any]:
    """How this person likes things written; `date_format` is always there, and brings the rest along."""
    stored = session.scalar(select(User.preferences).where(User.user_id == actor.user_id)) or {}
    return AT_FIRST | stored | {"date_format": Writing.of(stored)}


def set_preferences(session: Session, actor: Actor, **chosen: str) -> None:
    """Remember how this person likes things written: date_format, number_format, time_zone, each where it is given."""
    allowed = {"date_format": DATE_FORMATS, "number_format": tuple(NUMBER_FORMATS), "time_zone": time_zones()}
    for name, value in chosen.items():
        if value not in allowed[name]:
            raise Invalid(f"“{value}” is not one of the choices for the {name.replace('_', ' ')}.")
    stored = session.scalar(select(User.preferences).where(User.user_id == actor.user_id)) or {}
    session.execute(update(User).where(User.user_id == actor.user_id).values(preferences=stored | chosen))


@lru_cache(maxsize=1)
def time_zones() -> tuple[str, ...]:
    """The time zones that a person can choose from: UTC, and every one that is named for a place."""
    places = {name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))}
    return ("UTC", *sorted(places))
