"""The narrow rows follow the rows by triggers, whoever writes; those of before were made by the migration."""

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Engine, text

from db.engine import make_engine
from db.migrate import config, migrate
from tests.conftest import apart, execute, owner_url
from tests.db.test_change_log import ANN, add_row, open_change

OF_BEFORE = """
    INSERT INTO users (email, name, role) VALUES ('ann@example.com', 'Ann', 'admin');
    INSERT INTO sheets (owner_id, name) SELECT user_id, 'Deals' FROM users;
    INSERT INTO columns (sheet_id, column_id, name, type, position)
    SELECT sheet_id, n, 'Column ' || n, (ARRAY['text', 'money', 'choice', 'date'])[n], n
    FROM sheets, generate_series(1, 4) n;
    INSERT INTO columns (sheet_id, column_id, name, type, position)
    SELECT sheet_id, 10 + n, 'Number ' || n, 'number', 10 + n FROM sheets, generate_series(1, 9) n;
    SELECT lock_sheet(sheet_id, owner_id, 'seed', gen_random_uuid()), next_version(sheet_id, 3) FROM sheets;
    INSERT INTO rows (sheet_id, row_id, values, created_version)
    SELECT sheet_id, n, jsonb_build_object('1', 'Łódź', '2', n + 0.50, '3', 'o1', '4', '2026-01-31', '19', 9), 1
    FROM sheets, generate_series(1, 3) n;
    SELECT next_version(sheet_id, 0) FROM sheets;
    UPDATE rows SET deleted_version = 2 WHERE row_id = 2;
"""


@pytest.fixture
def app(database: str) -> Iterator[Engine]:
    engine = make_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def sheet(app: Engine) -> int:
    """A sheet with a money column in a slot and a text column in none."""
    with app.begin() as connection:
        made = text("INSERT INTO sheets (owner_id, name) VALUES (:ann, 'Deals') RETURNING sheet_id")
        sheet_id = int(connection.scalar(made, {"ann": ANN}) or 0)
        connection.execute(
            text("""INSERT INTO columns (sheet_id, column_id, name, type, position, slot)
                    VALUES (:sheet, 1, 'Deal', 'text', 1, NULL), (:sheet, 2, 'Amount', 'money', 2, 'n3')"""),
            {"sheet": sheet_id},
        )
    return sheet_id


def narrow(app: Engine) -> list[tuple[int, str]]:
    with app.begin() as connection:
        assert apart(connection) == []
        return [(row, str(n3)) for row, n3 in connection.execute(text("SELECT row_id, n3 FROM narrow_rows ORDER BY 1"))]


def test_rows_added_edited_deleted_and_restored_by_hand_are_followed(app: Engine, sheet: int) -> None:
    with app.begin() as connection:
        add_row(connection, sheet, '{"1": "Acme", "2": 5.50}')
        add_row(connection, sheet)
    assert narrow(app) == [(1, "5.50"), (2, "5")]
    for statement, expected in (
        ("UPDATE rows SET values = values || '{\"2\": 7}' WHERE row_id = 2", [(1, "5.50"), (2, "7")]),
        ("UPDATE rows SET values = values - '2' WHERE row_id = 2", [(1, "5.50"), (2, "None")]),
        ('UPDATE rows SET values = values || \'{"1": "Bolt"}\'', [(1, "5.50"), (2, "None")]),
        ("UPDATE rows SET deleted_version = 6 WHERE row_id = 1", [(2, "None")]),
        ("UPDATE rows SET deleted_version = NULL WHERE row_id = 1", [(1, "5.50"), (2, "None")]),
    ):
        with app.begin() as connection:
            open_change(connection, sheet)
            connection.execute(text(statement))
        assert narrow(app) == expected


def test_rows_of_before_are_narrow_and_folded_after_the_migrations(server: str, template: str) -> None:
    execute(server, "CREATE DATABASE of_before OWNER owner")
    owner = make_engine(owner_url(server, "of_before"), role=None)
    with owner.begin() as connection:
        command.upgrade(config(connection), "0008")
    with owner.begin() as connection:
        for statement in OF_BEFORE.split(";\n"):
            connection.execute(text(statement)) if statement.strip() else None
    migrate(owner)
    with owner.connect() as connection:
        rows = connection.execute(text("SELECT row_id, n1, t1, t2, n8 FROM narrow_rows ORDER BY 1")).all()
        folded = connection.execute(text("SELECT DISTINCT folded ->> '1' FROM rows")).scalars().all()
        lines = connection.scalar(text("SELECT count(*) FROM changes WHERE version > 2"))
        slots = connection.execute(text("SELECT slot FROM columns ORDER BY column_id")).scalars().all()
        assert apart(connection) == []
    owner.dispose()
    execute(server, "DROP DATABASE of_before WITH (FORCE)")
    assert [tuple(map(str, row)) for row in rows] == [
        (str(row), f"{row}.50", "o1", "2026-01-31", "None") for row in (1, 3)
    ]
    assert (folded, lines) == (["lodz"], 0), "a folded text is no change of the row"
    assert slots == [None, "n1", "t1", "t2", *(f"n{place}" for place in range(2, 9)), None, None]
