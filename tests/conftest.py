"""The fixed cast and its database: Ada administers, Ann owns, Ben edits, Cleo reads, Dan is a stranger."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import bcrypt
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.access.access import Access
from core.base.actor import Actor
from core.base.permissions import Level, Role
from core.config.rate_settings import RATES
from core.credentials import passwords
from core.limits.rate_limits import configure_limits
from db import engine as db
from db.migrate import migrate
from tests.support.cluster import cluster, embedded_binaries, system_binaries
from tests.support.narrow import APART
from tests.support.times import Times

PASSWORD = "correct horse battery"
CAST = {"Ada": Role.ADMIN, "Ann": Role.MEMBER, "Ben": Role.MEMBER, "Cleo": Role.ANALYST, "Dan": Role.MEMBER}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--server", choices=["embedded", "system"], default="embedded", help="which PostgreSQL to test on")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Times())


@pytest.fixture(autouse=True)
def nothing_counted_yet() -> None:
    """Each test has the whole of every limit before it."""
    configure_limits(RATES)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed by bcrypt as in the product, at a cost that tests can afford."""
    monkeypatch.setitem(passwords.hash_password.__kwdefaults__, "cost", 4)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """A PostgreSQL server: its URL, with a place for the database's name."""
    binaries = embedded_binaries()
    if request.config.getoption("--server") == "system":
        found = system_binaries()
        if found is None:
            pytest.skip("no system PostgreSQL 15 or later is installed")
        binaries = found
    with cluster(binaries) as url:
        yield url


@pytest.fixture(scope="session")
def template(server: str) -> str:
    """A migrated database with the cast in it, from which others are cloned."""
    execute(server, "CREATE ROLE owner LOGIN CREATEROLE")
    execute(server, "CREATE DATABASE template_contrivance OWNER owner")
    owner = db.make_engine(owner_url(server, "template_contrivance"), role=None)
    migrate(owner)
    with owner.begin() as connection:
        secret = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        for name, role in CAST.items():
            connection.execute(
                text("INSERT INTO users (email, name, role, password_hash) VALUES (:email, :name, :role, :secret)"),
                {"email": f"{name.lower()}@example.com", "name": name, "role": role.value, "secret": secret},
            )
    owner.dispose()
    return "template_contrivance"


numbers = count(1)


@pytest.fixture(scope="session")
def clone(server: str, template: str) -> Callable[[], str]:
    """Clone the template: call it for the owner's URL of a fresh database."""

    def make() -> str:
        name = f"clone_{next(numbers)}"
        execute(server, f"CREATE DATABASE {name} TEMPLATE {template} OWNER owner STRATEGY file_copy")
        return owner_url(server, name)

    return make


@pytest.fixture(scope="session")
def shared_engine(clone: Callable[[], str]) -> Iterator[Engine]:
    """The application's engine on the database whose tests roll back."""
    engine = db.make_engine(clone())
    yield engine
    engine.dispose()


@pytest.fixture
def session(shared_engine: Engine) -> Iterator[Session]:
    """A session whose work is rolled back after the test; db.engine.transaction() joins it as a savepoint."""
    with rolled_back(shared_engine) as session:
        yield session


@contextmanager
def rolled_back(engine: Engine) -> Iterator[Session]:
    """A session on this engine whose work, and that of every transaction(), is rolled back in the end."""
    with engine.connect() as connection:
        outer = connection.begin()
        db.bind(connection, join_transaction_mode="create_savepoint")
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as made:
            yield made
            assert apart(connection) == []
        outer.rollback()
        db.bind(None, join_transaction_mode="conditional_savepoint")


@pytest.fixture
def database(clone: Callable[[], str], server: str) -> Iterator[str]:
    """A database of the test's own, with real commits: the owner's URL. transaction() goes to it."""
    url = clone()
    engine = db.make_engine(url)
    db.bind(engine, join_transaction_mode="conditional_savepoint")
    yield url
    with engine.connect() as connection:
        assert apart(connection) == []
    engine.dispose()
    db.bind(None)
    name = url.split("@/")[1].split("?")[0]
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def apart(connection: Connection) -> list[tuple[int, int]]:
    """The rows whose narrow ones say something else. A transaction in which a statement failed says nothing more."""
    try:
        return [(sheet_id, row_id) for sheet_id, row_id in connection.execute(text(APART))]
    except DBAPIError:
        return []


def actor(name: str) -> Actor:
    """One of the cast; their user ids follow the order of CAST."""
    return Actor(user_id=[*CAST].index(name) + 1, name=name, email=f"{name.lower()}@example.com", role=CAST[name])


@pytest.fixture
def ada() -> Actor:
    return actor("Ada")


@pytest.fixture
def ann() -> Actor:
    return actor("Ann")


@pytest.fixture
def ben() -> Actor:
    return actor("Ben")


@pytest.fixture
def cleo() -> Actor:
    return actor("Cleo")


@pytest.fixture
def dan() -> Actor:
    return actor("Dan")


def make_deals(session: Session) -> Access:
    """A pipeline of Ann's that Ben edits and Cleo reads."""
    from core.sharing.shares import share_sheet
    from core.sheets.sheets import create_sheet

    ann = actor("Ann")
    access = create_sheet(session, ann, "Deals", template="pipeline")
    share_sheet(session, ann, access.sheet.sheet_id, actor("Ben").user_id, level=Level.EDITOR)
    share_sheet(session, ann, access.sheet.sheet_id, actor("Cleo").user_id, level=Level.VIEWER)
    return access


@pytest.fixture
def deals(session: Session) -> Access:
    return make_deals(session)


def execute(server: str, statement: str) -> None:
    """Run one statement as the superuser."""
    engine = db.make_engine(server.format(database="postgres"), role=None)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    engine.dispose()


def owner_url(server: str, name: str) -> str:
    return server.format(database=name).replace("postgres@", "owner@")
