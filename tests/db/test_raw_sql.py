"""Raw statements run in the session's transaction and raise the session's errors."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from db import engine as db
from db.raw_sql import RawStatement

PID = RawStatement("SELECT pg_backend_pid()")
RATIO = RawStatement("SELECT 10 / :by AS ratio, '5%' AS percent, '12:30'::text AS clock")


def test_a_statement_sees_what_its_transaction_wrote(session: Session) -> None:
    session.execute(text("CREATE TEMPORARY TABLE numbers (n integer) ON COMMIT DROP"))
    session.execute(text("INSERT INTO numbers VALUES (1), (2)"))
    assert RawStatement("SELECT n FROM numbers WHERE n > :least ORDER BY n").rows(session, {"least": 0}) == [(1,), (2,)]


def test_percent_signs_casts_and_times_are_not_parameters(session: Session) -> None:
    assert RATIO.row(session, {"by": 2}) == {"ratio": 5, "percent": "5%", "clock": "12:30"}


def test_without_a_row_the_answer_is_none(session: Session) -> None:
    assert RawStatement("SELECT 1 WHERE :yes").row(session, {"yes": False}) is None


def test_an_error_is_that_of_the_session_and_contains_no_parameter(session: Session) -> None:
    with pytest.raises(DataError) as error, session.begin_nested():
        RawStatement("SELECT CAST(:secret AS integer)").value(session, {"secret": "s3cret"})
    assert "s3cret" not in str(error.value.params)
    assert PID.value(session, {}) > 0


def test_a_lost_connection_raises_unavailable_and_is_replaced(database: str) -> None:
    with pytest.raises(db.Unavailable), db.transaction() as session:
        process_id = PID.value(session, {})
        with psycopg.connect(database.replace("owner@", "postgres@"), autocommit=True) as superuser:
            superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [process_id])
        PID.value(session, {})
    with db.transaction() as session:
        assert PID.value(session, {}) != process_id
