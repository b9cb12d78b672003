"""Opening the database: embedded or external, checked, migrated as its owner, then used as the application's role."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from db.embedded.server import Urls, embedded
from db.embedded.waiting import DatabaseUnavailable
from db.engine import APP_ROLE, driver_url, make_engine
from db.migrate import current_revision, expected_revision, migrate, revisions

LOWEST_VERSION = 15


@contextmanager
def database(url: str, app_url: str, folder: Path) -> Iterator[Urls]:
    """The database at `url`, or without one the embedded server of the data folder for as long as the block lasts."""
    if url:
        yield Urls(owner=url, app=app_url or url)
    else:
        with embedded(folder) as urls:
            yield urls


def open_engine(urls: Urls) -> Engine:
    """The application's engine on a database that has the schema this version expects."""
    owner = make_engine(urls.owner, role=None, statement_timeout="0", lock_timeout="0")
    try:
        with connected(owner, urls.owner) as connection:
            check_version(connection)
            outdated = check_schema(connection)
        if outdated:
            migrate(owner)
    except ProgrammingError as error:
        raise DatabaseUnavailable(
            f"The schema could not be brought up to date: {first_line(error)}. "
            "docs/operations.md says which rights its owner needs."
        ) from error
    finally:
        owner.dispose()
    return app_engine(urls)


def app_engine(urls: Urls) -> Engine:
    """The engine that acts as the application's role, which has been looked at."""
    engine = make_engine(urls.app, role=APP_ROLE if urls.app == urls.owner else None)
    with connected(engine, urls.app) as connection:
        check_role(connection)
    return engine


@contextmanager
def connected(engine: Engine, url: str) -> Iterator[Connection]:
    """A connection; DatabaseUnavailable with a sentence where there is none."""
    try:
        with engine.connect() as connection:
            yield connection
    except OperationalError as error:
        raise DatabaseUnavailable(unreachable(url, error)) from error


def check_version(connection: Connection) -> None:
    """Refuse a server that is too old."""
    version = connection.scalar(text("SELECT current_setting('server_version_num')::int"))
    if version // 10000 < LOWEST_VERSION:
        raise DatabaseUnavailable(
            f"The database server is PostgreSQL {version // 10000}: Contrivance needs {LOWEST_VERSION} or later."
        )


def check_schema(connection: Connection) -> bool:
    """Whether there is something to migrate. Refuses a schema that a later version wrote."""
    revision = current_revision(connection)
    if revision and revision not in dict(revisions()):
        raise DatabaseUnavailable(
            f"The database has schema version {revision}, this version of Contrivance knows none later than "
            f"{expected_revision()}: start the version that was here before."
        )
    return revision != expected_revision()


def check_role(connection: Connection) -> None:
    """Refuse to work as a superuser or as the owner of the tables: then no rule in the database would bind us."""
    powers = "SELECT rolsuper OR rolbypassrls OR pg_has_role(rolname, :owner, 'MEMBER') FROM pg_roles WHERE rolname = "
    owner = connection.scalar(text("SELECT tableowner FROM pg_tables WHERE tablename = 'changes'"))
    if connection.scalar(text(powers + "current_user"), {"owner": owner}):
        raise DatabaseUnavailable(
            "The application would use the database as a superuser or as the owner of its tables: give "
            "CONTRIVANCE_APP_DATABASE_URL a role of its own, or leave it out."
        )


def unreachable(url: str, error: OperationalError) -> str:
    """The sentence for a database that does not answer, without its password."""
    safe_url = make_url(driver_url(url)).render_as_string(hide_password=True).replace("+psycopg", "")
    return f"The database at {safe_url} cannot be used: {first_line(error).removeprefix('connection failed: ')}."


def first_line(error: DBAPIError) -> str:
    """What the database said, without the statement and its details."""
    lines = str(error.orig).strip().splitlines() if isinstance(error.orig, psycopg.Error) else []
    return lines[0].rstrip(".") if lines else "no answer"
