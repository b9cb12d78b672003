"""The change log's promises, tested with real commits: no path around it, no gap in it, nobody edits it."""

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from db.engine import make_engine

ANN = 2


@pytest.fixture
def app(database: str) -> Iterator[Engine]:
    engine = make_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def sheet(app: Engine) -> int:
    with app.begin() as connection:
        made = text("INSERT INTO sheets (owner_id, name) VALUES (:ann, 'Deals') RETURNING sheet_id")
        return connection.scalar(made, {"ann": ANN})


def open_change(connection: Connection, sheet: int, new_rows: int = 0) -> int:
    connection.execute(text("SELECT lock_sheet(:s, :a, 'api', :b)"), {"s": sheet, "a": ANN, "b": uuid.uuid4()})
    return connection.scalar(text("SELECT version FROM next_version(:s, :n)"), {"s": sheet, "n": new_rows})


def add_row(connection: Connection, sheet: int, values: str = '{"1": "Acme", "2": 5}') -> int:
    version = open_change(connection, sheet, 1)
    row = connection.scalar(text("SELECT last_row_id FROM sheets WHERE sheet_id = :s"), {"s": sheet})
    insert = text("INSERT INTO rows (sheet_id, row_id, values, created_version) VALUES (:s, :r, CAST(:v AS jsonb), :n)")
    connection.execute(insert, {"s": sheet, "r": row, "v": values, "n": version})
    return row


def lines(app: Engine, sheet: int) -> list[tuple]:
    columns = "version, row_id, column_id, kind, old, new, actor_id, source"
    with app.begin() as connection:
        ordered = f"SELECT {columns} FROM changes WHERE sheet_id = :s ORDER BY version, row_id, column_id"
        return [tuple(line) for line in connection.execute(text(ordered), {"s": sheet})]


def test_an_added_row_is_one_line_with_its_values(app: Engine, sheet: int) -> None:
    with app.begin() as connection:
        add_row(connection, sheet)
    assert lines(app, sheet) == [(1, 1, 0, "add", None, {"1": "Acme", "2": 5}, ANN, "api")]


def test_each_changed_cell_is_one_line_with_old_and_new(app: Engine, sheet: int) -> None:
    with app.begin() as connection:
        add_row(connection, sheet)
    with app.begin() as connection:
        open_change(connection, sheet)
        connection.execute(text("""UPDATE rows SET values = '{"1": "Acme", "2": 7, "3": true}'"""))
    assert lines(app, sheet)[1:] == [
        (2, 1, 2, "edit", 5, 7, ANN, "api"),
        (2, 1, 3, "edit", None, True, ANN, "api"),
    ]


def test_a_cell_takes_the_version_of_its_change(app: Engine, sheet: int) -> None:
    with app.begin() as connection:
        add_row(connection, sheet)
    with app.begin() as connection:
        open_change(connection, sheet)
        connection.execute(text("""UPDATE rows SET values = values - '1'"""))
        assert connection.scalar(text("SELECT versions FROM rows")) == {"1": 2}


def test_removing_and_restoring_a_row_are_lines_of_their_own(app: Engine, sheet: int) -> None:
    with app.begin() as connection:
        add_row(connection, sheet, '{"1": "Acme"}')
    for wanted in ("2", "NULL"):
        with app.begin() as connection:
            open_change(connection, sheet)
            connection.execute(text(f"UPDATE rows SET deleted_version = {wanted}"))
    assert [line[3:6] for line in lines(app, sheet)[1:]] == [
        ("remove", {"1": "Acme"}, None),
        ("restore", None, {"1": "Acme"}),
    ]


def test_rows_do_not_change_outside_a_change(app: Engine, sheet: int) -> None:
    with app.begin() as connection:
        add_row(connection, sheet)
    with pytest.raises(ProgrammingError, match="only inside a change"), app.begin() as connection:
        connection.execute(text("""UPDATE rows SET values = '{"1": "Evil"}'"""))


def test_a_change_without_an_actor_is_refused(app: Engine, sheet: int) -> None:
    with pytest.raises(ProgrammingError, match="only inside a change"), app.begin() as connection:
        connection.execute(text("SELECT next_version(:s, 1)"), {"s": sheet})
        insert = "INSERT INTO rows (sheet_id, row_id, values, created_version) VALUES (:s, 1, '{}', 1)"
        connection.execute(text(insert), {"s": sheet})


def test_the_settings_of_one_transaction_do_not_leak_into_the_next(app: Engine, sheet: int) -> None:
    with app.connect() as connection:
        with connection.begin():
            add_row(connection, sheet)
        with pytest.raises(ProgrammingError, match="only inside a change"), connection.begin():
            connection.execute(text("""UPDATE rows SET values = '{}'"""))


def test_a_change_writes_only_to_the_sheet_that_it_opened(app: Engine, sheet: int) -> None:
    with app.begin() as connection:
        add_row(connection, sheet)
        other = text("INSERT INTO sheets (owner_id, name) VALUES (:ann, 'Other') RETURNING sheet_id")
        second = connection.scalar(other, {"ann": ANN})
    with pytest.raises(ProgrammingError, match="in the sheet"), app.begin() as connection:
        open_change(connection, second)
        connection.execute(text("""UPDATE rows SET values = '{"1": "Evil"}' WHERE sheet_id = :s"""), {"s": sheet})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE changes SET actor_id = 1",
        "DELETE FROM changes",
        "TRUNCATE changes",
        "INSERT INTO changes SELECT * FROM changes",
        "UPDATE audit_events SET action = 'x'",
        "DELETE FROM audit_events",
        "DELETE FROM rows",
        "TRUNCATE rows",
        "UPDATE narrow_rows SET t1 = 'x'",
        "DELETE FROM narrow_rows",
        "ALTER TABLE changes DISABLE TRIGGER ALL",
        "DROP TRIGGER stamp_cells ON rows",
        "CREATE TABLE mine (x int)",
        "CREATE FUNCTION stamp_cells2() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "SET session_replication_role = replica",
        "UPDATE alembic_version SET version_num = 'x'",
        "DELETE FROM users",
    ],
)
def test_the_application_cannot_tamper(app: Engine, sheet: int, statement: str) -> None:
    with app.begin() as connection:
        add_row(connection, sheet)
    with pytest.raises(DBAPIError), app.begin() as connection:
        connection.execute(text(statement))
    assert len(lines(app, sheet)) == 1


def test_a_temporary_table_of_the_same_name_catches_no_line(app: Engine, sheet: int) -> None:
    """PostgreSQL looks for tables among the temporary ones first, unless a function says otherwise."""
    with app.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE changes (LIKE public.changes INCLUDING ALL) ON COMMIT DROP"))
        add_row(connection, sheet)
    with app.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE changes (LIKE public.changes INCLUDING ALL) ON COMMIT DROP"))
        open_change(connection, sheet)
        connection.execute(text("""UPDATE rows SET values = '{"1": "Evil", "2": 5}'"""))
    assert [line[3] for line in lines(app, sheet)] == ["add", "edit"]


def test_no_function_that_acts_as_the_owner_looks_among_temporary_tables_first(app: Engine) -> None:
    definers = """
        SELECT proname, (SELECT one FROM unnest(proconfig) one WHERE one LIKE 'search_path=%') FROM pg_proc
        WHERE prosecdef AND pronamespace = 'public'::regnamespace"""
    with app.begin() as connection:
        found = dict(connection.execute(text(definers)).tuples().all())
    assert {"log_added_rows", "log_edited_rows", "chain_event", "narrow_added_rows", "narrow_edited_rows"} <= set(found)
    assert {name for name, set_to in found.items() if not (set_to or "").endswith("pg_temp")} == set()


def test_even_the_owner_does_not_edit_the_log(database: str, app: Engine, sheet: int) -> None:
    with app.begin() as connection:
        add_row(connection, sheet)
    owner = make_engine(database, role=None)
    for statement in ("UPDATE changes SET actor_id = 1", "DELETE FROM changes", "DELETE FROM rows"):
        with pytest.raises(ProgrammingError, match="append-only"), owner.begin() as connection:
            connection.execute(text(statement))
    owner.dispose()


def test_only_the_owner_says_that_something_happened_earlier(database: str, app: Engine, sheet: int) -> None:
    claim = text("SELECT set_config('contrivance.effective_at', '2025-01-01', true)")
    with pytest.raises(ProgrammingError, match="Only the owner"), app.begin() as connection:
        connection.execute(claim)
        add_row(connection, sheet)
    owner = make_engine(database, role=None)
    with owner.begin() as connection:
        connection.execute(claim)
        add_row(connection, sheet)
        told = connection.execute(text("SELECT effective_at, recorded_at FROM changes")).one()
    owner.dispose()
    assert told.effective_at.year == 2025
    assert told.recorded_at.year > 2025


def test_a_commit_notifies_with_sheet_and_version_only(app: Engine, sheet: int) -> None:
    with app.connect().execution_options(isolation_level="AUTOCOMMIT") as listener:
        listener.execute(text("LISTEN sheet_changes"))
        with app.begin() as connection:
            add_row(connection, sheet)
        heard = list(listener.connection.driver_connection.notifies(timeout=5, stop_after=1))
    assert [notice.payload for notice in heard] == [f"{sheet}:1"]


def test_the_sheets_lock_puts_writers_in_order(app: Engine, sheet: int) -> None:
    """A second writer waits for the first, so "everything after version N" never skips a late commit."""
    with app.begin() as first:
        add_row(first, sheet)
        with pytest.raises(DBAPIError, match="lock timeout"), app.begin() as second:
            second.execute(text("SET LOCAL lock_timeout = '50ms'"))
            open_change(second, sheet)
    with app.begin() as connection:
        assert open_change(connection, sheet) == 2


def test_a_sheet_with_rows_is_never_removed(database: str, app: Engine, sheet: int) -> None:
    with app.begin() as connection:
        add_row(connection, sheet)
    owner = make_engine(database, role=None)
    with pytest.raises(IntegrityError, match="archived, never removed"), owner.begin() as connection:
        connection.execute(text("DELETE FROM sheets WHERE sheet_id = :sheet"), {"sheet": sheet})
    owner.dispose()


def test_an_operation_is_found_by_its_key_however_few_there_were_when_that_was_planned(
    database: str, app: Engine, sheet: int
) -> None:
    read = text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'operations'")
    fill = text("""
        INSERT INTO operations (sheet_id, operation_id, actor_id, result, version)
        SELECT :s, gen_random_uuid(), :a, '{}', n FROM generate_series(1, 500) n
    """)
    owner = make_engine(database, role=None).execution_options(isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("VACUUM ANALYZE operations"))  # Whoever plans now knows that there are none.
    owner.dispose()
    with app.begin() as connection:
        for _ in range(10):
            open_change(connection, sheet)
        connection.execute(fill, {"s": sheet, "a": ANN})
        before = connection.scalar(read)
        for _ in range(10):
            open_change(connection, sheet)
        assert connection.scalar(read) - before <= 10
