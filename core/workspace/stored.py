"""The stored settings of the workspace: JSON values by name."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session


def stored_settings(session: Session, names: Collection[str]) -> dict[str, Any]:
    """Return the stored settings among these names."""
    return dict(session.execute(_READ, {"names": list(names)}).tuples().all())


def store_setting(session: Session, name: str, value: Any) -> None:
    """Store a setting in place of its earlier value."""
    session.execute(_WRITE, {"name": name, "value": json.dumps(value)})


_READ = text("SELECT name, value FROM workspace_settings WHERE name = ANY(:names)")
_WRITE = text("""
    INSERT INTO workspace_settings (name, value) VALUES (:name, CAST(:value AS jsonb))
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = now()
""")
