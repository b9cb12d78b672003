"""Opens the database, embedded or external: checks it, migrates it as its owner, and connects as the application."""

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
    """Yield the URLs of the database at `url`, or without one of the embedded server, which runs during the block."""
    if url:
        yield Urls(owner=url, app=app_url or url)
    else:
        with embedded(folder) as urls:
            yield urls


def open_engine(urls: Urls) -> Engine:
    """Migrate the database if necessary and return the application's engine. Raises DatabaseUnavailable."""
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
    """Return the engine with the application's role, after checking that role."""
    engine = make_engine(urls.app, role=APP_ROLE if urls.app == urls.owner else None)
    with connected(engine, urls.app) as connection:
        check_role(connection)
    return engine


@contextmanager
def connected(engine: Engine, url: str) -> Iterator[Connection]:
    """Open a connection. Raises DatabaseUnavailable."""
    try:
        with engine.connect() as connection:
            yield connection
    except OperationalError as error:
        raise DatabaseUnavailable(unreachable(url, error)) from error


def check_version(connection: Connection) -> None:
    """Raise DatabaseUnavailable if the server is too old."""
    version = connection.scalar(text("SELECT current_setting('server_version_num')::int"))
    if version // 10000 < LOWEST_VERSION:
        raise DatabaseUnavailable(
            f"The database server is PostgreSQL {version // 10000}: Contrivance needs {LOWEST_VERSION} or later."
        )


def check_schema(connection: Connection) -> bool:
    """Return whether a migration is needed. Raises DatabaseUnavailable for the schema of a later version."""
    revision = current_revision(connection)
    if revision and revision not in dict(revisions()):
        raise DatabaseUnavailable(
            f"The database has schema version {revision}, this version of Contrivance needs "
            f"{expected_revision()}: start the version that wrote it."
        )
    return revision != expected_revision()


def check_role(connection: Connection) -> None:
    """Raise DatabaseUnavailable for a superuser or the owner of the tables, whom no rule of the database restricts."""
    powers = "SELECT rolsuper OR rolbypassrls OR pg_has_role(rolname, :owner, 'MEMBER') FROM pg_roles WHERE rolname = "
    owner = connection.scalar(text("SELECT tableowner FROM pg_tables WHERE tablename = 'changes'"))
    if connection.scalar(text(powers + "current_user"), {"owner": owner}):
        raise DatabaseUnavailable(
            "The application would use the database as a superuser or as the owner of its tables: give "
            "CONTRIVANCE_APP_DATABASE_URL a role of its own, or leave it out."
        )


def unreachable(url: str, error: OperationalError) -> str:
    """Return the message for a database that does not answer, without its password."""
    safe_url = make_url(driver_url(url)).render_as_string(hide_password=True).replace("+psycopg", "")
    return f"The database at {safe_url} cannot be used: {first_line(error).removeprefix('connection failed: ')}."


def first_line(error: DBAPIError) -> str:
    """Return the first line of the database's message, without statement and details."""
    lines = str(error.orig).strip().splitlines() if isinstance(error.orig, psycopg.Error) else []
    return lines[0].rstrip(".") if lines else "no answer"
