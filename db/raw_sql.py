"""Raw statements for the hot path. They run on the psycopg connection of the session's transaction, because a result
object of SQLAlchemy costs more than the row. All other statements go through the session."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

Parameters = dict[str, Any]
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


class RawStatement:
    """A statement with :named parameters, as for `sqlalchemy.text`."""

    def __init__(self, statement: str) -> None:
        self.statement = _PARAMETER.sub(r"%(\1)s", statement.replace("%", "%%"))

    def rows(self, session: Session, parameters: Parameters) -> list[tuple[Any, ...]]:
        """Return all rows as tuples."""
        return self._run(session, parameters).fetchall()

    def row(self, session: Session, parameters: Parameters) -> dict[str, Any] | None:
        """Return the first row as a dict, None without rows."""
        cursor = self._run(session, parameters)
        values = cursor.fetchone()
        return dict(zip(_names(cursor), values, strict=True)) if values else None

    def all(self, session: Session, parameters: Parameters) -> list[dict[str, Any]]:
        """Return all rows as dicts."""
        cursor = self._run(session, parameters)
        names = _names(cursor)
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]

    def value(self, session: Session, parameters: Parameters) -> Any:
        """Return the first value of the first row. Raises IndexError without rows."""
        return self.rows(session, parameters)[0][0]

    def _run(self, session: Session, parameters: Parameters) -> "psycopg.Cursor[tuple[Any, ...]]":
        with self._driver(session) as driver:
            return driver.execute(self.statement.encode(), parameters)

    @contextmanager
    def _driver(self, session: Session) -> "Iterator[psycopg.Connection[tuple[Any, ...]]]":
        connection = session.connection()
        try:
            yield connection.connection.driver_connection  # type: ignore[misc]
        except psycopg.Error as error:
            raise self._as_ours(connection, error) from error

    def _as_ours(self, connection: Connection, error: psycopg.Error) -> BaseException:
        """Return the error that the session would raise. A lost connection is removed from the pool."""
        is_gone = connection.dialect.is_disconnect(error, connection.connection.driver_connection, None)  # type: ignore[arg-type]
        if is_gone:
            connection.invalidate(error)
        return DBAPIError.instance(
            self.statement,
            None,
            error,
            psycopg.Error,
            hide_parameters=True,
            connection_invalidated=is_gone,
            dialect=connection.dialect,
        )


def _names(cursor: "psycopg.Cursor[Any]") -> list[str]:
    """Return the column names, without the types and sizes that `cursor.description` looks up."""
    result = cursor.pgresult
    return [(result.fname(index) or b"").decode() for index in range(result.nfields)] if result else []
