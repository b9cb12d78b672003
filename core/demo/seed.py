"""Seeding: writes the demo's story through the same commands that people use, one a simulated day."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from core.access.access import Access, get_access
from core.accounts.accounts import add_account
from core.base.actor import Actor
from core.base.permissions import Level, Role
from core.demo.names import CITIES, FAMILY, GIVEN, INDUSTRY, PEOPLE, POSITIONS
from core.demo.story import Account, Event, Story, told
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.sharing.shares import share_with_workspace
from core.sheets.sheets import create_sheet, describe_sheet
from db.tables.sheets import Sheet, User

PIPELINE, ACCOUNTS, CONTACTS = "Demo pipeline", "Demo accounts", "Demo contacts"
CONTACTS_MADE = 90
MARK = DEMO_KIND = "demo"
LOCK = 0x64656D6F  # An advisory lock's number: of two processes that start together, one seeds.


def is_seeded(session: Session) -> bool:
    """Whether the demo workspace is complete, or the workspace has sheets of its own and wants none."""
    state = session.scalar(select(Sheet.settings[MARK].astext).where(Sheet.settings.has_key(MARK)))
    return state == "complete" if state else session.scalar(select(Sheet.sheet_id).limit(1)) is not None


def seed(owner: Engine, *, today: date, tell: Callable[[int, int], None] | None = None) -> None:
    """Make the demo workspace as the owner of the tables, who alone may say that something happened earlier.

    Each simulated day is one transaction with an operation id of its own: a seeding that was cut off goes on where
    it was, and doing it twice changes nothing.
    """
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        guard.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        try:
            _seed(owner, today, tell)
        finally:
            guard.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})


def _seed(owner: Engine, today: date, tell: Callable[[int, int], None] | None) -> None:
    with Session(owner) as session, session.begin():
        if is_seeded(session):
            return
        people = _people(session)
        pipeline = _sheet(session, people[0], PIPELINE, "pipeline", today)
        today = date.fromisoformat(pipeline.sheet.settings[MARK])
    story = told(today, [person.name for person in people])
    days = sorted(story.days)
    steps = len(days) + 2
    rows: dict[int, int] = {}
    for done, day in enumerate(days, start=1):
        with Session(owner) as session, session.begin():
            _play(session, pipeline.sheet.sheet_id, people, day, events=story.days[day], rows=rows)
        if tell:
            tell(done, steps)
    with Session(owner) as session, session.begin():
        _companies(session, people, story, today)
        _contacts(session, people, story, today)
        _mark(session, pipeline.sheet.sheet_id, "complete")
    if tell:
        tell(steps, steps)


def _play(
    session: Session, sheet_id: int, people: Sequence[Actor], day: date, *, events: list[Event], rows: dict[int, int]
) -> None:
    """One day: what happened to each deal, under the name of its owner."""
    for place, actor in enumerate(people):
        mine = [event for event in events if event.owner == place]
        if not mine:
            continue
        access = get_access(session, actor, sheet_id)
        adds = [event for event in mine if event.deal not in rows]
        edits = [event for event in mine if event.deal in rows]
        batch = Batch(
            edits=tuple(
                Edit(rows[event.deal], column, given) for event in edits for column, given in _cells(access, event)
            ),
            adds=tuple(NewRow(str(event.deal), dict(_cells(access, event))) for event in adds),
        )
        outcome = _write(session, access, batch, day, key=f"{day}/{place}", hour=9 + 2 * place)
        rows |= {int(added["key"]): added["row"] for added in outcome.added}


def _write(session: Session, access: Access, batch: Batch, day: date, *, key: str, hour: int) -> Any:
    """A batch that took effect at an hour of a simulated day, of the present day at the latest now."""
    moment = min(datetime.combine(day, time(hour, 17), UTC), datetime.now(UTC))
    session.execute(text("SELECT set_config('contrivance.effective_at', :at, true)"), {"at": moment.isoformat()})
    operation = uuid5(NAMESPACE_URL, f"contrivance-demo/{access.sheet.sheet_id}/{key}")
    return write(session, access.actor, access.sheet.sheet_id, batch, operation_id=operation, source=ChangeSource.SEED)


def _cells(access: Access, event: Event) -> list[tuple[int, CellInput]]:
    ids = {column.name: column.column_id for column in access.columns}
    return [(ids[name], CellInput(written)) for name, written in event.cells.items()]


def _people(session: Session) -> list[Actor]:
    """The demo's four, who cannot sign in until an administrator invites them."""
    made = []
    for name, email, role in PEOPLE:
        known = session.scalar(select(User.user_id).where(User.email == email))
        user_id = known or add_account(session, None, email=email, name=name, role=Role(role))
        made.append(Actor(user_id, name, email, Role(role)))
    return made


def _sheet(session: Session, owner: Actor, name: str, template: str, today: date) -> Access:
    """The demo's sheet of this name: the one that an interrupted seeding left, or a new one that everybody may edit."""
    begun = session.scalar(select(Sheet.sheet_id).where(Sheet.name == name, Sheet.owner_id == owner.user_id))
    if begun is not None:
        return get_access(session, owner, begun)
    made = create_sheet(session, owner, name, template=template)
    share_with_workspace(session, owner, made.sheet.sheet_id, level=Level.EDITOR)
    describe_sheet(
        session, owner, made.sheet.sheet_id, "Invented data to look around in. Archive it when you are done."
    )
    if template == "pipeline":
        _mark(session, made.sheet.sheet_id, today.isoformat())
    return get_access(session, owner, made.sheet.sheet_id)


def _mark(session: Session, sheet_id: int, state: str) -> None:
    """Say how far the demo is: the day that its story ends on, then 'complete'."""
    statement = text("""
        UPDATE sheets SET settings = settings || jsonb_build_object(CAST(:mark AS text), CAST(:state AS text))
        WHERE sheet_id = :sheet
    """)
    session.execute(statement, {"mark": MARK, "state": state, "sheet": sheet_id})


def _companies(session: Session, people: Sequence[Actor], story: Story, today: date) -> None:
    chance = Random(7)  # noqa: S311 - a story, not a secret.
    rows = []
    for account in story.accounts:
        city, country = chance.choice(CITIES)
        rows.append(
            {
                "Name": account.name,
                "Industry": INDUSTRY[account.kind],
                "Website": f"https://{_domain(account)}",
                "City": city,
                "Country": country,
                "Employees": str(account.employees),
                "Owner": people[account.owner].name,
                "Customer": "yes" if account.name in story.customers else "",
            }
        )
    _fill(session, people[0], ACCOUNTS, "accounts", rows=rows, today=today)


def _contacts(session: Session, people: Sequence[Actor], story: Story, today: date) -> None:
    chance = Random(11)  # noqa: S311 - a story, not a secret.
    rows = []
    names = chance.sample([(given, family) for given in GIVEN for family in FAMILY], CONTACTS_MADE)
    for place, (given, family) in enumerate(names):
        # Every account has a contact before one has a second.
        account = story.accounts[place] if place < len(story.accounts) else chance.choice(story.accounts)
        seen = date.fromordinal(today.toordinal() - chance.randint(1, 90))
        rows.append(
            {
                "Name": f"{given} {family}",
                "Account": account.name,
                "Position": chance.choice(POSITIONS),
                "E-mail": f"{given}.{family}@{_domain(account)}".lower(),
                "Phone": f"+49 40 555 {chance.randint(1000, 9999)}",
                "Last contact": seen.isoformat(),
                "Owner": people[account.owner].name,
            }
        )
    _fill(session, people[0], CONTACTS, "contacts", rows=rows, today=today)


def _domain(account: Account) -> str:
    """A company's address on the Internet: below example.com, which nobody can own."""
    return f"{account.name.lower().replace(' ', '-')}.example.com"


def _fill(session: Session, owner: Actor, name: str, template: str, *, rows: list[dict[str, str]], today: date) -> None:
    access = _sheet(session, owner, name, template, today)
    ids = {column.name: column.column_id for column in access.columns}
    adds = tuple(
        NewRow(str(place), {ids[column]: CellInput(written) for column, written in row.items()})
        for place, row in enumerate(rows)
    )
    _write(session, access, Batch(adds=adds), today, key=name, hour=8)
