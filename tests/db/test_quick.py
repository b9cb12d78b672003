"""RawStatement statements: the same transaction, the same errors as the session's own, only cheaper."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from db import engine as db
from db.raw_sql import RawStatement

PID = RawStatement("SELECT pg_backend_pid()")
RATIO = RawStatement("SELECT 10 / :by AS ratio, '5%' AS percent, '12:30'::text AS clock")


def test_it_sees_what_its_transaction_wrote(session: Session) -> None:
    session.execute(text("CREATE TEMPORARY TABLE seen (n integer) ON COMMIT DROP"))
    session.execute(text("INSERT INTO seen VALUES (1), (2)"))
    assert RawStatement("SELECT n FROM seen WHERE n > :least ORDER BY n").rows(session, {"least": 0}) == [(1,), (2,)]


def test_percent_signs_casts_and_clocks_are_text_of_the_statement(session: Session) -> None:
    assert RATIO.row(session, {"by": 2}) == {"ratio": 5, "percent": "5%", "clock": "12:30"}


def test_no_row_is_none(session: Session) -> None:
    assert RawStatement("SELECT 1 WHERE :yes").row(session, {"yes": False}) is None


def test_an_error_is_the_one_that_the_session_would_raise_and_tells_no_parameter(session: Session) -> None:
    with pytest.raises(DataError) as refused, session.begin_nested():
        RawStatement("SELECT CAST(:secret AS integer)").value(session, {"secret": "s3cret"})
    assert "s3cret" not in str(refused.value.params)
    assert PID.value(session, {}) > 0


def test_a_connection_that_dies_under_it_is_said_to_be_unavailable_and_replaced(database: str) -> None:
    with pytest.raises(db.Unavailable), db.transaction() as session:
        first = PID.value(session, {})
        with psycopg.connect(database.replace("owner@", "postgres@"), autocommit=True) as superuser:
            superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
        PID.value(session, {})
    with db.transaction() as session:
        assert PID.value(session, {}) != first
