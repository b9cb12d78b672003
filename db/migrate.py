"""Migrations: bring a database to the schema this version expects, as its owner, one process at a time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x636F6E74  # An advisory lock's number: two processes that start together migrate one after the other.


def migrate(owner: Engine) -> None:
    """Create or upgrade the schema. Every step is one transaction: a crash leaves the version before it."""
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
    return str(ScriptDirectory.from_config(config()).get_current_head())


def current_revision(connection: Connection) -> str | None:
    """The schema version of the database, None where it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without an alembic.ini."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.attributes["connection"] = connection
    return made
