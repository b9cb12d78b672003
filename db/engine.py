"""Engine and transactions: the only place that opens connections. Callers own the transaction; core never commits."""

import json
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import orjson
import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from db import disk

POOL_SIZE = 10
POOL_OVERFLOW = 10
POOL_WAIT_SECONDS = 5
CONNECTION_SETTINGS = {
    "lock_timeout": "3s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "jit": "off",
}
APP_ROLE = "contrivance_app"
_SNAPSHOT_OPTIONS = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
AFTER_TRANSACTION = "after_transaction"  # In session.info: functions to call after the commit or rollback.

_write_sessions: sessionmaker[Session] = sessionmaker(expire_on_commit=False)
_read_sessions: sessionmaker[Session] = sessionmaker(expire_on_commit=False)


class Busy(Exception):
    """Every connection is in use; the caller should try again in a moment."""


class Unavailable(Busy):
    """The database cannot be reached; the caller should try again when it is back."""


class DiskFull(Unavailable):
    """The database cannot write because its disk is full. Reading may still work."""


def make_engine(url: str, *, role: str | None = APP_ROLE, **settings: str) -> Engine:
    """Return an engine on `url`. Its connections use `role` (None: the role that signs in, for migrations)."""
    options = CONNECTION_SETTINGS | ({"role": role} if role else {}) | settings
    engine = create_engine(
        driver_url(url),
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_WAIT_SECONDS,
        connect_args={
            "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
            "connect_timeout": 5,
            "application_name": "contrivance",
        },
        json_serializer=partial(json.dumps, ensure_ascii=False, separators=(",", ":")),
        json_deserializer=orjson.loads,  # Not for cells: their numbers are read as text, never as floats.
    )
    event.listen(engine, "checkout", refuse_dead_connection)
    return engine


def refuse_dead_connection(connection: Any, _record: Any, _proxy: Any) -> None:
    """Make the pool replace a connection that the server has closed, without a query (three round trips).

    An idle connection has nothing to read, unless the server has closed it.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if connection.closed or poll.poll(0):
        raise DisconnectionError


def driver_url(url: str) -> str:
    """Return the URL with the driver for SQLAlchemy."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in {"postgresql", "postgres"} else url


def bind(engine: Engine | Any, **options: Any) -> None:
    """Set the engine (or a test's connection) of transaction() and snapshot()."""
    _write_sessions.configure(bind=engine, **options)
    _read_sessions.configure(
        bind=engine.execution_options(**_SNAPSHOT_OPTIONS) if isinstance(engine, Engine) else engine, **options
    )


def bound_engine() -> Engine:
    """Return the engine that transaction() uses."""
    engine = _write_sessions.kw["bind"]
    return engine if isinstance(engine, Engine) else engine.engine


@contextmanager
def transaction() -> Iterator[Session]:
    """Open a transaction that commits at the end and rolls back on any error."""
    with _session(_write_sessions) as session:
        yield session


@contextmanager
def snapshot() -> Iterator[Session]:
    """Open a read-only transaction that sees one moment, so that a sheet's version and its rows fit together.

    In a transaction() each statement sees what was committed when it started. Rows that are read after a version may
    be newer than it, and would be counted again with the changes since that version.
    """
    with _session(_read_sessions) as session:
        yield session


@contextmanager
def _session(make: sessionmaker[Session]) -> Iterator[Session]:
    at_end = list[Callable[[], None]]()
    with _translated_errors(), _running_afterwards(at_end), make.begin() as session:
        session.info[AFTER_TRANSACTION] = at_end
        yield session


@contextmanager
def _running_afterwards(actions: list[Callable[[], None]]) -> Iterator[None]:
    try:
        yield
    finally:
        for action in actions:
            action()


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Translate errors of the pool and the driver into Busy, Unavailable and DiskFull."""
    try:
        yield
    except PoolTimeout as error:
        raise Busy from error
    except OperationalError as error:
        if isinstance(error.orig, psycopg.errors.DiskFull):
            disk.note_full()
            raise DiskFull(type(error.orig).__name__) from error
        if error.connection_invalidated or error.orig is None or not error.statement:
            raise Unavailable(type(error.orig).__name__) from error
        raise
