"""Opening a database: what cannot work is refused before anything is served, in one sentence."""

from pathlib import Path

import pytest
from sqlalchemy import text

from db.embedded.server import Urls
from db.embedded.waiting import DatabaseUnavailable
from db.engine import make_engine
from db.start import database as opened
from db.start import open_engine


def owner_says(url: str, statement: str) -> None:
    engine = make_engine(url, role=None)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_an_external_database_is_used_as_the_applications_role(database: str) -> None:
    engine = open_engine(Urls(owner=database, app=database))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT current_user")) == "contrivance_app"
    engine.dispose()


def test_a_schema_of_a_later_version_is_refused_and_left_alone(database: str) -> None:
    owner_says(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnavailable, match="schema version 9999"):
        open_engine(Urls(owner=database, app=database))
    engine = make_engine(database, role=None)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    engine.dispose()


@pytest.mark.parametrize("who", ["postgres", "owner"])
def test_an_application_role_with_too_much_power_is_refused(database: str, server: str, who: str) -> None:
    name = database.split("@/")[1].split("?", maxsplit=1)[0]
    powerful = server.format(database=name).replace("postgres@", f"{who}@") + "&application_name=app"
    with pytest.raises(DatabaseUnavailable, match="superuser or as the owner"):
        open_engine(Urls(owner=database, app=powerful))


def test_a_database_that_is_not_there_is_named_without_its_password() -> None:
    url = "postgresql://owner:hunter2@127.0.0.1:9/sales"
    with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1:9/sales") as refused:
        open_engine(Urls(owner=url, app=url))
    assert "hunter2" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_without_a_url_for_the_application_the_owners_is_used(tmp_path: Path) -> None:
    with opened("postgresql://owner@db/sales", "", tmp_path) as urls:
        assert urls == Urls(owner="postgresql://owner@db/sales", app="postgresql://owner@db/sales")
    assert list(tmp_path.iterdir()) == []
