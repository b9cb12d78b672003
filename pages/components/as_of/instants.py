"""Instants of the past: the presets, their format, and the picker."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core.accounts.locale import Locale
from core.base.errors import Invalid
from core.rows.as_of import instant_of
from pages.components.app.format import DATE_PATTERNS

EVENING = time(18)
FRIDAY = 4
NOW = "now"


def choices(now: datetime) -> dict[str, datetime]:
    """The instants asked for most, as seen from now: all of them past."""
    friday = _at_evening(now - timedelta(days=(now.weekday() - FRIDAY) % 7))
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return {
        "Yesterday, 18:00": _at_evening(now - timedelta(days=1)),
        "Last Friday, 18:00": friday if friday < now else friday - timedelta(days=7),
        "A week ago": now.replace(second=0, microsecond=0) - timedelta(days=7),
        "Start of the month": month,
    }


def written(instant: datetime) -> str:
    """An instant as it stands in the address."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def spoken(instant: str, locale: Locale) -> str:
    """An instant of the address as the person's clock shows it: Fri 20 Nov 2026, 18:00 UTC. What is none stays so."""
    if instant == NOW:
        return "now"
    try:
        return f"{instant_of(instant).astimezone(locale.zone):%a %d %b %Y, %H:%M %Z}"
    except Invalid:
        return instant.replace(":", " ")


def choose(key: str, locale: Locale, take: Callable[[str], None]) -> None:
    """The instants asked for most as buttons, and a field for any other; `take` is called with the one chosen."""
    zone = locale.zone
    now = datetime.now(zone)
    for label, instant in choices(now).items():
        st.button(label, key=f"{key}_{label}", on_click=take, args=(written(instant),), width="stretch")
    field = f"{key}_other"
    st.datetime_input(
        f"Another moment ({zone.key})",
        value=None,
        max_value=now.replace(tzinfo=None),
        key=field,
        format=DATE_PATTERNS[locale.date_format].replace("-", "/"),
        on_change=lambda: _take(field, zone, take),
    )


def _take(field: str, zone: ZoneInfo, take: Callable[[str], None]) -> None:
    local_time = st.session_state[field]
    if local_time is not None:
        take(written(local_time.replace(tzinfo=zone)))


def _at_evening(day: datetime) -> datetime:
    return datetime.combine(day.date(), EVENING, tzinfo=day.tzinfo)
