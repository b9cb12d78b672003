"""Seeding of the demo workspace: writes its story through the ordinary commands, one transaction per simulated day."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.accounts.accounts import add_account
from core.base.actor import Actor
from core.base.permissions import Level, Role
from core.column_types import Relation
from core.column_types.lookup import LOOKUP, SUM
from core.demo.names import CITIES, FIRST_NAMES, INDUSTRY, LAST_NAMES, PEOPLE, POSITIONS
from core.demo.story import Account, Event, Story, build_story
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.sharing.shares import share_with_workspace
from core.sheets.columns import NewColumn, add_column, change_column
from core.sheets.sheets import create_sheet, describe_sheet
from db.tables.sheets import Sheet, User

PIPELINE, ACCOUNTS, CONTACTS = "Demo pipeline", "Demo accounts", "Demo contacts"
CONTACT_COUNT = 90
COMPANY = "Company"
MARK = DEMO_KIND = "demo"
LOCK = 0x64656D6F  # The key of an advisory lock: only one process seeds at a time.


def is_seeded(session: Session) -> bool:
    """Return whether the demo is complete or not needed because the workspace has other sheets."""
    state = session.scalar(select(Sheet.settings[MARK].astext).where(Sheet.settings.has_key(MARK)))
    return state == "complete" if state else session.scalar(select(Sheet.sheet_id).limit(1)) is not None


def seed(owner: Engine, *, today: date, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Create the demo workspace. Needs the owner of the tables, the only role that can write past times.

    Each simulated day is one transaction with an operation id of its own, so an interrupted seeding continues where
    it stopped, and running it twice changes nothing.
    """
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        guard.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        try:
            _seed(owner, today, on_progress)
        finally:
            guard.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})


def _seed(owner: Engine, today: date, on_progress: Callable[[int, int], None] | None) -> None:
    with Session(owner) as session, session.begin():
        if is_seeded(session):
            return
        people = _people(session)
        pipeline = _sheet(session, people[0], PIPELINE, "pipeline", today)
        today = date.fromisoformat(pipeline.sheet.settings[MARK])
    story = build_story(today, [person.name for person in people])
    with Session(owner) as session, session.begin():
        _companies(session, people, story, today)
        company = _company_column(session, people[0], pipeline, today)
    companies = {account.name: str(number) for number, account in enumerate(story.accounts, start=1)}
    days = sorted(story.days)
    steps = len(days) + 2
    rows: dict[int, int] = {}
    for done, day in enumerate(days, start=1):
        with Session(owner) as session, session.begin():
            events = [_with_company(event, company, companies) for event in story.days[day]]
            _play(session, pipeline.sheet.sheet_id, people, day, events=events, rows=rows)
        if on_progress:
            on_progress(done, steps)
    with Session(owner) as session, session.begin():
        _contacts(session, people, story, today)
        _mark(session, pipeline.sheet.sheet_id, "complete")
    if on_progress:
        on_progress(steps, steps)


def _play(
    session: Session, sheet_id: int, people: Sequence[Actor], day: date, *, events: list[Event], rows: dict[int, int]
) -> None:
    """Write the events of one day, each as its deal's owner."""
    for index, actor in enumerate(people):
        own_events = [event for event in events if event.owner == index]
        if not own_events:
            continue
        access = get_access(session, actor, sheet_id)
        adds = [event for event in own_events if event.deal not in rows]
        edits = [event for event in own_events if event.deal in rows]
        batch = Batch(
            edits=tuple(
                Edit(rows[event.deal], column, value) for event in edits for column, value in _cells(access, event)
            ),
            adds=tuple(NewRow(str(event.deal), dict(_cells(access, event))) for event in adds),
        )
        outcome = _write(session, access, batch, day, key=f"{day}/{index}", hour=9 + 2 * index)
        rows |= {int(added["key"]): added["row"] for added in outcome.added}


def _write(session: Session, access: Access, batch: Batch, day: date, *, key: str, hour: int) -> Any:
    """Write a batch that takes effect at this hour of a simulated day, but not in the future."""
    moment = min(datetime.combine(day, time(hour, 17), UTC), datetime.now(UTC))
    session.execute(text("SELECT set_config('contrivance.effective_at', :at, true)"), {"at": moment.isoformat()})
    operation = uuid5(NAMESPACE_URL, f"contrivance-demo/{access.sheet.sheet_id}/{key}")
    return write(session, access.actor, access.sheet.sheet_id, batch, operation_id=operation, source=ChangeSource.SEED)


def _cells(access: Access, event: Event) -> list[tuple[int, CellInput]]:
    ids = {column.name: column.column_id for column in access.columns}
    inputs = [(ids[name], CellInput(value)) for name, value in event.cells.items() if name != COMPANY]
    # A related row is named by its number, which is quicker to find than its title.
    company = event.cells.get(COMPANY)
    return inputs if company is None else [*inputs, (ids[COMPANY], CellInput(value=[company]))]


def _people(session: Session) -> list[Actor]:
    """Return the demo's people, who can't sign in until an administrator invites them."""
    people = []
    for name, email, role in PEOPLE:
        existing_id = session.scalar(select(User.user_id).where(User.email == email))
        user_id = existing_id or add_account(session, None, email=email, name=name, role=Role(role))
        people.append(Actor(user_id, name, email, Role(role)))
    return people


def _sheet(session: Session, owner: Actor, name: str, template: str, today: date) -> Access:
    """Return the demo sheet with this name: from an interrupted seeding, or a new one that everybody may edit."""
    existing_id = session.scalar(select(Sheet.sheet_id).where(Sheet.name == name, Sheet.owner_id == owner.user_id))
    if existing_id is not None:
        return get_access(session, owner, existing_id)
    sheet_id = create_sheet(session, owner, name, template=template).sheet.sheet_id
    share_with_workspace(session, owner, sheet_id, level=Level.EDITOR)
    describe_sheet(session, owner, sheet_id, "Sample data to explore. Archive it when you no longer need it.")
    if template == "pipeline":
        _mark(session, sheet_id, today.isoformat())
    return get_access(session, owner, sheet_id)


def _mark(session: Session, sheet_id: int, state: str) -> None:
    """Store the state of the demo: the last day of its story, then 'complete'."""
    statement = text("""
        UPDATE sheets SET settings = settings || jsonb_build_object(CAST(:mark AS text), CAST(:state AS text))
        WHERE sheet_id = :sheet
    """)
    session.execute(statement, {"mark": MARK, "state": state, "sheet": sheet_id})


def _companies(session: Session, people: Sequence[Actor], story: Story, today: date) -> None:
    rng = Random(7)  # noqa: S311 - not a secret.
    rows = []
    for account in story.accounts:
        city, country = rng.choice(CITIES)
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


def _company_column(session: Session, owner: Actor, pipeline: Access, today: date) -> str:
    """Relate the deals to their accounts, which get their deals and their worth. Return the name of the column."""
    access = get_access(session, owner, pipeline.sheet.sheet_id)
    if COMPANY in {column.name for column in access.columns}:
        return COMPANY
    accounts = _sheet(session, owner, ACCOUNTS, "accounts", today).sheet.sheet_id
    relation = add_column(
        session, owner, access.sheet.sheet_id, NewColumn(COMPANY, Relation.name, {"sheet": accounts, "single": True})
    )
    mirror, part = relation.rules["mirror"], access.sheet.pipeline
    change_column(session, owner, accounts, mirror, name="Deals")
    stages = next(column.options for column in access.columns if column.column_id == part["stage"])
    for name, kind in (("Open deals", "open"), ("Won deals", "won")):
        ids = [stage.id for stage in stages if stage.kind == kind]
        rules = {
            "relation": mirror,
            "column": part["amount"],
            "summary": SUM,
            "filter": [{"column": part["stage"], "op": "is_any_of", "value": ids}],
        }
        add_column(session, owner, accounts, NewColumn(name, LOOKUP, rules))
    return COMPANY


def _with_company(event: Event, column: str, companies: Mapping[str, str]) -> Event:
    """Return the event of a new deal with the number of its account's row."""
    account = event.cells.get("Account")
    return event if account is None else replace(event, cells={**event.cells, column: companies[account]})


def _contacts(session: Session, people: Sequence[Actor], story: Story, today: date) -> None:
    rng = Random(11)  # noqa: S311 - not a secret.
    rows = []
    names = rng.sample(
        [(first_name, last_name) for first_name in FIRST_NAMES for last_name in LAST_NAMES], CONTACT_COUNT
    )
    for index, (first_name, last_name) in enumerate(names):
        # Every account gets a first contact before any gets a second one.
        account = story.accounts[index] if index < len(story.accounts) else rng.choice(story.accounts)
        last_contact = date.fromordinal(today.toordinal() - rng.randint(1, 90))
        rows.append(
            {
                "Name": f"{first_name} {last_name}",
                "Account": account.name,
                "Position": rng.choice(POSITIONS),
                "E-mail": f"{first_name}.{last_name}@{_domain(account)}".lower(),
                "Phone": f"+49 40 555 {rng.randint(1000, 9999)}",
                "Last contact": last_contact.isoformat(),
                "Owner": people[account.owner].name,
            }
        )
    _fill(session, people[0], CONTACTS, "contacts", rows=rows, today=today)


def _domain(account: Account) -> str:
    """Return the company's domain, under example.com, which is reserved for examples."""
    return f"{account.name.lower().replace(' ', '-')}.example.com"


def _fill(session: Session, owner: Actor, name: str, template: str, *, rows: list[dict[str, str]], today: date) -> None:
    access = _sheet(session, owner, name, template, today)
    ids = {column.name: column.column_id for column in access.columns}
    adds = tuple(
        NewRow(str(index), {ids[column]: CellInput(value) for column, value in row.items()})
        for index, row in enumerate(rows)
    )
    _write(session, access, Batch(adds=adds), today, key=name, hour=8)
