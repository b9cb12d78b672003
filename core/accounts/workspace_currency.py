"""The workspace's currency: the default of new money columns."""

import json

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.accounts import require
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.permissions import Permission
from core.column_types.currencies import CURRENCIES

DEFAULT_CURRENCY = "EUR"
_NAME = "currency"


def workspace_currency(session: Session) -> str:
    """Return the ISO 4217 code of the currency; EUR by default."""
    stored: str | None = session.scalar(_READ, {"name": _NAME})
    return stored or DEFAULT_CURRENCY


def set_workspace_currency(session: Session, actor: Actor, currency: str) -> None:
    """Set the default currency of new money columns. For administrators. Raises Invalid."""
    require(actor, Permission.PEOPLE_MANAGE)
    code = currency.strip().upper()
    if code not in CURRENCIES:
        raise Invalid(f"“{currency[:20]}” is not a currency code. Write it like EUR or USD.")
    before = workspace_currency(session)
    if code != before:
        session.execute(_WRITE, {"name": _NAME, "value": json.dumps(code)})
        audit.record(session, actor, "workspace:currency:change", before=before, currency=code)


_READ = text("SELECT value FROM workspace_settings WHERE name = :name")
_WRITE = text("""
    INSERT INTO workspace_settings (name, value) VALUES (:name, CAST(:value AS jsonb))
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = now()
""")
