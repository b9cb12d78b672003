"""The settings of the workspace: currency, time zone, first day of the week and of the fiscal year."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy.orm import Session

from core.base import audit
from core.base.actor import Actor, require
from core.base.errors import Invalid
from core.base.permissions import Permission
from core.column_types.currencies import CURRENCIES
from core.workspace.stored import store_setting, stored_settings

DEFAULT_CURRENCY = "EUR"
# The days on which a week starts somewhere, by their ISO number.
WEEK_STARTS = {1: "Monday", 6: "Saturday", 7: "Sunday"}
_CACHE = "workspace_settings"  # In session.info.


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """The settings. `week_start` is an ISO weekday (1 is Monday), `fiscal_year_start` a month (1 is January)."""

    currency: str = DEFAULT_CURRENCY
    time_zone: str = "UTC"
    week_start: int = 1
    fiscal_year_start: int = 1

    @property
    def zone(self) -> ZoneInfo:
        """The time zone for calculations."""
        return ZoneInfo(self.time_zone)


def workspace_settings(session: Session) -> WorkspaceSettings:
    """Return the settings, read once per session of the database."""
    if _CACHE not in session.info:
        return cache_settings(session, stored_settings(session, SETTING_NAMES))
    settings: WorkspaceSettings = session.info[_CACHE]
    return settings


def cache_settings(session: Session, stored: Mapping[str, Any]) -> WorkspaceSettings:
    """Return the settings with these stored values, which a statement has read with something else."""
    session.info[_CACHE] = settings = WorkspaceSettings(**stored)
    return settings


def change_workspace_settings(session: Session, actor: Actor, **changes: Any) -> WorkspaceSettings:
    """Change settings by name and return all of them. For administrators. Raises Invalid."""
    require(actor, Permission.PEOPLE_MANAGE)
    session.info.pop(_CACHE, None)
    before = workspace_settings(session)
    after = replace(before, **{name: _checked(name, value) for name, value in changes.items()})
    old, new = asdict(before), asdict(after)
    changed = [name for name in SETTING_NAMES if old[name] != new[name]]
    for name in changed:
        store_setting(session, name, new[name])
    session.info[_CACHE] = after
    if "currency" in changed:
        audit.record(session, actor, "workspace:currency:change", before=before.currency, currency=after.currency)
    if others := {name: [old[name], new[name]] for name in changed if name != "currency"}:
        audit.record(session, actor, "workspace:settings:change", changes=others)
    return after


def _checked(name: str, value: Any) -> Any:
    """Return the value to store. Raises Invalid."""
    if name == "currency":
        value = str(value).strip().upper()
        if value not in CURRENCIES:
            raise Invalid(f"“{value[:20]}” is not a currency code. Write it like EUR or USD.")
    elif name == "time_zone" and value not in time_zones():
        raise Invalid(f"“{str(value)[:40]}” is not a time zone that is offered. Write it like Europe/Berlin.")
    elif name == "week_start" and value not in WEEK_STARTS:
        days = ", ".join(f"{number} ({day})" for number, day in WEEK_STARTS.items())
        raise Invalid(f"A week starts on day {days}.")
    elif name == "fiscal_year_start" and value not in range(1, 13):
        raise Invalid("A fiscal year starts in a month from 1 (January) to 12 (December).")
    return value


@lru_cache(maxsize=1)
def time_zones() -> tuple[str, ...]:
    """Return the time zones that can be chosen: UTC, and every zone named after a place."""
    zones = {name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))}
    return ("UTC", *sorted(zones))


SETTING_NAMES = tuple(field.name for field in fields(WorkspaceSettings))
