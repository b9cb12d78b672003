"""The engine: connections that died are replaced before anybody uses them."""

import psycopg
from sqlalchemy import text

from db import engine as db


def test_a_connection_that_the_server_closed_is_replaced_unseen(database: str) -> None:
    with db.transaction() as session:
        first = session.scalar(text("SELECT pg_backend_pid()"))
    with psycopg.connect(database.replace("owner@", "postgres@"), autocommit=True) as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    with db.transaction() as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) != first


def test_a_connection_that_lives_is_used_again(database: str) -> None:
    pids = set()
    for _ in range(3):
        with db.transaction() as session:
            pids.add(session.scalar(text("SELECT pg_backend_pid()")))
    assert len(pids) == 1
