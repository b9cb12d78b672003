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


def test_whom_a_manager_put_into_a_team_is_asked_and_all_others_stay_in_it(server: str, template: str) -> None:
    execute(server, "CREATE DATABASE earlier OWNER owner")
    owner = make_engine(owner_url(server, "earlier"), role=None)
    with owner.begin() as connection:
        command.upgrade(config(connection), "0012")
        connection.execute(text(MEMBERS_OF_0012))
    migrate(owner)
    with owner.connect() as connection:
        said = connection.execute(text("SELECT user_id, accepted_at IS NOT NULL FROM team_members ORDER BY user_id"))
        assert dict(said.tuples().all()) == {1: True, 2: True, 3: False, 4: True, 5: True}
    owner.dispose()
    execute(server, "DROP DATABASE earlier WITH (FORCE)")


# 1 administers; 2 manages and put themselves and 3 into the team; of 4 nobody knows; 5 was put by 2, later by 1.
MEMBERS_OF_0012 = """
    INSERT INTO users (email, name, role) SELECT n || '@x.com', 'P', (ARRAY['admin', 'manager'])[n]
        FROM generate_series(1, 2) n;
    INSERT INTO users (email, name, role) SELECT n || '@x.com', 'P', 'member' FROM generate_series(3, 5) n;
    INSERT INTO teams (name) VALUES ('North');
    INSERT INTO team_members (team_id, user_id) SELECT 1, user_id FROM users;
    INSERT INTO audit_events (action, actor_id, facts)
        SELECT 'team:member:add', by, jsonb_build_object('team', 1, 'user', who)
        FROM (VALUES (2, 2), (2, 3), (2, 5), (1, 5)) put (by, who);
"""
