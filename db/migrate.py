"""Migrations: upgrade a database to the expected schema, as its owner, one process at a time."""

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x636F6E74  # The number of an advisory lock, so that only one process migrates at a time.


def migrate(owner: Engine) -> None:
    """Create or upgrade the schema. Every step is one transaction: a crash leaves the previous version."""
    from alembic import command  # noqa: PLC0415 slow to import, and seldom needed

    with owner.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        connection.commit()
        try:
            command.upgrade(config(connection), "head")
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
            connection.commit()


def expected_revision() -> str:
    """Return the schema version that this code expects."""
    before = {previous for _, previous in revisions()}
    return next(revision for revision, _ in revisions() if revision not in before)


@lru_cache(maxsize=1)
def revisions() -> tuple[tuple[str, str], ...]:
    """Return all known schema versions, each with its predecessor (empty for the first)."""
    texts = [path.read_text() for path in sorted((MIGRATIONS / "versions").glob("*.py"))]
    return tuple((_named("revision", text), _named("down_revision", text)) for text in texts)


def _named(name: str, source: str) -> str:
    match = re.search(rf"^{name}\b[^=]*= *['\"](\w+)['\"]", source, re.MULTILINE)
    return match[1] if match else ""


def current_revision(connection: Connection) -> str | None:
    """Return the schema version of the database, None for an empty one."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return str(revision) if revision else None


def config(connection: Connection | None = None) -> "Config":
    """Return Alembic's configuration, without an alembic.ini."""
    from alembic.config import Config  # noqa: PLC0415 slow to import, and seldom needed

    alembic_config = Config()
    alembic_config.set_main_option("script_location", str(MIGRATIONS))
    alembic_config.attributes["connection"] = connection
    return alembic_config
