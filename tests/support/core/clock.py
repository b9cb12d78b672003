"""The clock of a reader, moved on."""

from datetime import datetime, timedelta, tzinfo
from typing import Self

import pytest

from core.access import access


def pass_days(monkeypatch: pytest.MonkeyPatch, days: int = 1) -> None:
    """Let so many days pass for every access that is loaded from now on."""

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(days)

    monkeypatch.setattr(access, "datetime", Later)
