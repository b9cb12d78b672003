"""The chain over the audit trail: without forks, and whatever the database's owner does to it afterwards shows."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from core.audit.chain import START, ChainBroken, event_hash, head, verify
from core.base import audit
from core.base.errors import Invalid
from db.engine import bind, make_engine, transaction
from db.migrate import migrate
from tests.conftest import actor, execute, owner_url

ODD = 'tab\t “quotes” \\ \x01\x1f\x7f\u2028 🙂 "]'


@pytest.fixture
def owner(database: str) -> Iterator[Engine]:
    engine = make_engine(database, role=None)
    yield engine
    engine.dispose()


@pytest.fixture
def five(owner: Engine) -> Engine:
    """Five events in five transactions, with whatever characters, numbers and nesting facts may have."""
    facts = (
        {"name": ODD},
        {"rows": 3, "share": 0.1, "big": 10**25},
        {"list": [1, {"b": None, "aa": True}]},
        {},
        {"x": 1},
    )
    for number, one in enumerate(facts):
        with transaction() as session:
            address = "2001:db8::" if number % 2 else None
            audit.record(session, actor("Ann"), "test:event:happen", sheet_id=number or None, address=address, **one)
    return owner


def tamper(owner: Engine, *statements: str) -> None:
    """As the owner, who may switch the triggers off."""
    with owner.begin() as connection:
        for table in ("audit_events", "audit_chain", "audit_head"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            connection.execute(text(statement))
        for table in ("audit_events", "audit_chain", "audit_head"):
            connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


def event(owner: Engine, place: int) -> int:
    with owner.begin() as connection:
        return connection.scalar(text("SELECT event_id FROM audit_chain WHERE position = :place"), {"place": place})


def test_a_chain_that_nobody_touched_is_whole(five: Engine) -> None:
    found = verify(five)
    assert (found.events, found.checked) == (5, 5)
    with transaction() as session:
        assert head(session) == (5, found.head)


def test_a_trail_without_events_is_whole(owner: Engine) -> None:
    assert (verify(owner).events, verify(owner).head) == (0, START.hex())


def test_the_hash_is_the_one_that_the_documentation_says() -> None:
    event = {"event_id": 1, "recorded_at": "2026-01-02T03:04:05.000006Z", "action": "a:b:c", "actor_id": None}
    event |= {"sheet_id": 7, "address": "10.0.0.1/32", "facts": '{"x": 1}'}
    # printf '[1, "2026-…Z", "a:b:c", null, 7, "10.0.0.1/32", {"x": 1}]' behind 32 zero bytes, through sha256sum.
    assert event_hash(START, event).hex() == "a28a49f3766f9f1de383453e7872c7302f5bf1b1888d43efd496becdd18fa0fc"


TAMPERED: dict[str, tuple[Callable[[int, int], tuple[str, ...]], str]] = {
    "facts changed": (
        lambda third, _: (f"UPDATE audit_events SET facts = '{{}}' WHERE event_id = {third}",),
        "number 3 ",
    ),
    "action changed": (
        lambda third, _: (f"UPDATE audit_events SET action = 'x' WHERE event_id = {third}",),
        "number 3 ",
    ),
    "somebody else": (
        lambda third, _: (f"UPDATE audit_events SET actor_id = 1 WHERE event_id = {third}",),
        "number 3 ",
    ),
    "another sheet": (
        lambda third, _: (f"UPDATE audit_events SET sheet_id = 9 WHERE event_id = {third}",),
        "number 3 ",
    ),
    "another address": (
        lambda third, _: (f"UPDATE audit_events SET address = '1.2.3.4' WHERE event_id = {third}",),
        "number 3 ",
    ),
    "another time": (
        lambda third, _: (f"UPDATE audit_events SET recorded_at = '12026-01-01' WHERE event_id = {third}",),
        "number 3 ",
    ),
    "another number": (
        lambda third, _: (
            f"UPDATE audit_events SET event_id = 99 WHERE event_id = {third}",
            f"UPDATE audit_chain SET event_id = 99 WHERE event_id = {third}",
        ),
        "number 3 ",
    ),
    "deleted in the middle": (lambda third, _: (f"DELETE FROM audit_events WHERE event_id = {third}",), "was deleted"),
    "deleted with its link": (
        lambda third, _: (
            f"DELETE FROM audit_events WHERE event_id = {third}",
            f"DELETE FROM audit_chain WHERE event_id = {third}",
        ),
        "Link 3 of the chain is missing",
    ),
    "deleted and closed up": (
        lambda third, _: (
            f"DELETE FROM audit_events WHERE event_id = {third}",
            f"DELETE FROM audit_chain WHERE event_id = {third}",
            "UPDATE audit_chain SET position = position - 1 WHERE position > 3",
        ),
        "number 3 ",
    ),
    "deleted at the end": (lambda _, last: (f"DELETE FROM audit_events WHERE event_id = {last}",), "was deleted"),
    "cut at the end": (
        lambda third, last: (
            f"DELETE FROM audit_events WHERE event_id IN ({third}, {last})",
            "DELETE FROM audit_events WHERE event_id IN (SELECT event_id FROM audit_chain WHERE position >= 3)",
            "DELETE FROM audit_chain WHERE position >= 3",
        ),
        "3 events missing at the end",
    ),
    "put in": (lambda *_: ("INSERT INTO audit_events (action) VALUES ('forged')",), "without a link"),
    "put in with a link": (
        lambda *_: (
            "INSERT INTO audit_events (event_id, action) VALUES (99, 'forged')",
            "UPDATE audit_chain SET position = -position WHERE position > 3",
            "UPDATE audit_chain SET position = 1 - position WHERE position < 0",
            "INSERT INTO audit_chain SELECT 4, 99, hash FROM audit_chain WHERE position = 3",
        ),
        "number 4 ",
    ),
    "reordered": (
        lambda third, last: (
            f"UPDATE audit_chain SET event_id = -1 WHERE event_id = {third}",
            f"UPDATE audit_chain SET event_id = {third} WHERE event_id = {last}",
            f"UPDATE audit_chain SET event_id = {last} WHERE event_id = -1",
        ),
        "number 3 ",
    ),
    "everything gone": (lambda *_: ("DELETE FROM audit_events", "DELETE FROM audit_chain"), "5 events missing"),
    "the head set back": (
        lambda *_: ("UPDATE audit_head SET (position, hash) = (SELECT 4, hash FROM audit_chain WHERE position = 4)",),
        "its head at 4",
    ),
    "the head gone": (lambda *_: ("DELETE FROM audit_head",), "head of the audit trail is missing"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_what_the_owner_of_the_database_does_afterwards_is_found(five: Engine, how: str) -> None:
    statements, said = TAMPERED[how]
    tamper(five, *statements(event(five, 3), event(five, 5)))
    with pytest.raises(ChainBroken, match=said):
        verify(five)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET action = 'x'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "UPDATE audit_chain SET position = 7",
        "DELETE FROM audit_chain",
        "TRUNCATE audit_chain",
        "DELETE FROM audit_head",
        "TRUNCATE audit_head",
    ],
)
def test_the_owner_must_switch_a_trigger_off_before_they_can_change_anything(five: Engine, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="append-only"), five.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET action = 'x'",
        "DELETE FROM audit_events",
        "INSERT INTO audit_chain VALUES (6, 6, '')",
        "UPDATE audit_chain SET hash = ''",
        "UPDATE audit_head SET position = 4",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head (is_head, position, hash) VALUES (false, 1, '')",
        "ALTER TABLE audit_events DISABLE TRIGGER chain_event",
        "DROP TRIGGER chain_event ON audit_events",
    ],
)
def test_the_application_can_only_append(five: Engine, statement: str) -> None:
    with pytest.raises(DBAPIError), transaction() as session:
        session.execute(text(statement))
    assert verify(five).events == 5


def test_a_temporary_table_of_the_same_name_catches_no_link(five: Engine) -> None:
    """PostgreSQL looks for tables among the temporary ones first, unless a function says otherwise."""
    with transaction() as session:
        for table in ("audit_head", "audit_chain"):
            session.execute(text(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table} INCLUDING ALL)"))
        session.execute(text("INSERT INTO audit_head SELECT * FROM public.audit_head"))
        session.execute(text("INSERT INTO public.audit_events (action) VALUES ('forged')"))
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        session.execute(text("DROP TABLE pg_temp.audit_head, pg_temp.audit_chain"))
    assert verify(five).events == 6


def test_nobody_says_that_an_event_happened_at_another_time(owner: Engine) -> None:
    with transaction() as session:
        session.execute(text("INSERT INTO audit_events (action, recorded_at) VALUES ('x', '2020-01-01')"))
    with owner.begin() as connection:
        assert connection.scalar(text("SELECT max(now() - recorded_at) < interval '1 minute' FROM audit_events"))


def test_an_event_that_is_rolled_back_leaves_no_gap(five: Engine) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as session:
        audit.record(session, actor("Ann"), "test:event:happen")
        raise ZeroDivisionError
    with transaction() as session:
        audit.record(session, actor("Ann"), "test:event:happen")
    assert verify(five).events == 6


def test_writers_in_parallel_make_one_chain_without_a_fork(database: str, owner: Engine) -> None:
    engine = make_engine(database)
    bind(engine)

    def write(number: int) -> None:
        for _ in range(5):
            with transaction() as session:
                audit.record(session, actor("Ann"), "test:event:happen", number=number)
                audit.record(session, actor("Ben"), "test:event:happen", number=number)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(16)))
    engine.dispose()
    assert verify(owner).events == 160


def test_a_transaction_that_takes_long_holds_nobody_up_with_its_event(five: Engine) -> None:
    with transaction() as long:
        audit.record(long, actor("Ann"), "test:event:happen")
        with transaction() as short:
            short.execute(text("SET LOCAL lock_timeout = '50ms'"))
            audit.record(short, actor("Ben"), "test:event:happen")
        assert verify(five).events == 6
    assert verify(five).events == 7


def test_a_head_kept_elsewhere_finds_what_was_rewritten_as_a_whole(five: Engine) -> None:
    kept = verify(five).head
    rewrite = """
        DO $$ DECLARE e audit_events; link bytea := decode(repeat('00', 32), 'hex'); place bigint := 0; BEGIN
            DELETE FROM audit_chain;
            FOR e IN SELECT * FROM audit_events ORDER BY event_id LOOP
                link := audit_hash(link, e); place := place + 1;
                INSERT INTO audit_chain VALUES (place, e.event_id, link);
            END LOOP;
            UPDATE audit_head SET position = place, hash = link;
        END $$"""
    tamper(
        five, "UPDATE audit_events SET actor_id = 3 WHERE event_id = (SELECT max(event_id) FROM audit_events)", rewrite
    )
    assert verify(five).events == 5, "Whoever can rewrite everything is not found without a head kept elsewhere."
    for asked in ({"head": kept}, {"since": kept}):
        with pytest.raises(ChainBroken, match="is not in the chain"):
            verify(five, **asked)


def test_from_an_earlier_head_only_what_came_later_is_computed_again(five: Engine) -> None:
    kept = verify(five).head
    with transaction() as session:
        audit.record(session, actor("Ann"), "test:event:happen")
    found = verify(five, since=kept, head=kept)
    assert (found.events, found.checked) == (6, 1)


def test_what_is_no_hash_is_refused(five: Engine) -> None:
    for given in ("", "x" * 64, "ab", "é" * 64):
        with pytest.raises(Invalid, match="isn't a hash"):
            verify(five, head=given)


def test_what_was_recorded_before_the_chain_is_chained_by_the_migration(server: str, template: str) -> None:
    from alembic import command

    from db.migrate import config

    execute(server, "CREATE DATABASE before_chain OWNER owner")
    owner = make_engine(owner_url(server, "before_chain"), role=None)
    with owner.connect() as connection:
        command.upgrade(config(connection), "0005")
        connection.execute(text("INSERT INTO audit_events (action) SELECT 'old' FROM generate_series(1, 3)"))
        connection.commit()
    migrate(owner)
    assert verify(owner).events == 3
    owner.dispose()
    execute(server, "DROP DATABASE before_chain WITH (FORCE)")
