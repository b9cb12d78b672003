"""Migrations: bring a database to the schema this version expects, as its owner, one process at a time."""

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x636F6E74  # An advisory lock's number: two processes that start together migrate one after the other.


def migrate(owner: Engine) -> None:
    """Create or upgrade the schema. Every step is one transaction: a crash leaves the version before it."""
    from alembic import command  # noqa: PLC0415 a start that has nothing to migrate need not wait for it

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
    """The schema version that this code was written for."""
    before = {previous for _, previous in revisions()}
    return next(revision for revision, _ in revisions() if revision not in before)


@lru_cache(maxsize=1)
def revisions() -> tuple[tuple[str, str], ...]:
    """Every schema version that this code knows, each with the one before it (empty for the first)."""
    texts = [path.read_text() for path in sorted((MIGRATIONS / "versions").glob("*.py"))]
    return tuple((_named("revision", text), _named("down_revision", text)) for text in texts)


def _named(name: str, source: str) -> str:
    match = re.search(rf"^{name}\b[^=]*= *['\"](\w+)['\"]", source, re.MULTILINE)
    return match[1] if match else ""


def current_revision(connection: Connection) -> str | None:
    """The schema version of the database, None where it is empty."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return str(revision) if revision else None


def config(connection: Connection | None = None) -> "Config":
    """Alembic's configuration, without an alembic.ini."""
    from alembic.config import Config  # noqa: PLC0415 as above

    alembic_config = Config()
    alembic_config.set_main_option("script_location", str(MIGRATIONS))
    alembic_config.attributes["connection"] = connection
    return alembic_config
