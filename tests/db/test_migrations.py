"""Migrations bring any database to the expected schema, once, whoever starts first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from alembic import command
from sqlalchemy import text

from db.engine import make_engine
from db.migrate import config, current_revision, expected_revision, migrate
from tests.conftest import execute, owner_url


def test_the_tables_in_the_code_are_the_tables_in_the_database(database: str) -> None:
    owner = make_engine(database, role=None)
    with owner.connect() as connection:
        command.check(config(connection))
        assert current_revision(connection) == expected_revision()
    owner.dispose()


def test_processes_that_start_together_migrate_one_after_the_other(server: str, template: str) -> None:
    execute(server, "CREATE DATABASE together OWNER owner")

    def start(_: int) -> None:
        owner = make_engine(owner_url(server, "together"), role=None)
        migrate(owner)
        owner.dispose()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))
    execute(server, "DROP DATABASE together WITH (FORCE)")


def test_the_application_acts_as_a_role_that_owns_nothing(database: str, clone: Callable[[], str]) -> None:
    engine = make_engine(database)
    owned = text("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user")
    powers = text("SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT current_user")) == "contrivance_app"
        assert connection.scalar(owned) == 0
        assert connection.scalar(powers) is False
    engine.dispose()
