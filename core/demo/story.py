"""The story of the demo pipeline: which deals begin, move, slip, are won or lost, on which day. The same every time."""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from core.demo.names import FIRST, NEXT_STEPS, PRODUCTS, SECOND

MONTHS = 18
DEALS = 600
LARGEST = 800  # Employees: one giant among the accounts would outshine all others in a chart.
# Per owner: how large a share of the deals, and how often a deal that gets to the end is won.
OWNERS = ((0.16, 0.52), (0.32, 0.46), (0.29, 0.38), (0.23, 0.27))
SOURCES = ("Inbound", "Referral", "Outbound", "Event", "Partner")
REASONS = ("Price", "No decision", "Competitor", "Timing", "Missing feature")
OWN_ACCOUNT = 0.85  # How often a deal belongs to the one who looks after its account.
# Per open stage: its name, the usual days spent there, and the share of deals that are lost from it.
PATH = (("Lead", 17, 0.13), ("Qualified", 27, 0.11), ("Proposal", 32, 0.09), ("Negotiation", 24, 0.0))
# Buyers sign before the summer and before the year ends, and hardly in August.
SEASON = (0.8, 0.9, 1.15, 0.95, 1.0, 1.2, 0.85, 0.55, 1.1, 1.05, 1.15, 1.3)


@dataclass(frozen=True)
class Account:
    """A company of the demo: its size sets the size of its deals."""

    name: str
    kind: str
    employees: int
    owner: int


@dataclass(frozen=True)
class Event:
    """What happens to a deal on a day: cells by column name. The first event of a deal makes its row."""

    day: date
    deal: int
    owner: int
    cells: dict[str, str]


@dataclass
class Story:
    """The whole story, by day; `customers` are the accounts that have bought something."""

    accounts: list[Account]
    customers: set[str] = field(default_factory=set)
    days: dict[date, list[Event]] = field(default_factory=lambda: defaultdict(list))


def told(today: date, people: list[str]) -> Story:
    """The story that ends today; `people` are the owners' names."""
    chance = Random(2)  # noqa: S311 - a story, not a secret.
    start = today - timedelta(days=round(MONTHS * 30.44))
    story = Story(_accounts(chance))
    for deal, begins in enumerate(_beginnings(chance, start, today)):
        _tell(chance, story, deal, begins, today=today, people=people)
    return story


def _accounts(chance: Random) -> list[Account]:
    names = [f"{first} {second}" for first in FIRST for second in SECOND]
    chosen = chance.sample(names, 60)
    return [
        Account(name, name.split()[1], min(int(math.exp(chance.gauss(4.6, 1.1))) + 5, LARGEST), place % len(OWNERS))
        for place, name in enumerate(chosen)
    ]


def _beginnings(chance: Random, start: date, today: date) -> list[date]:
    """Working days on which deals begin: more as the team grows, fewer in August."""
    days = [start + timedelta(days=offset) for offset in range((today - start).days + 1)]
    weekdays = [day for day in days if day.weekday() < 5]
    weights = [SEASON[day.month - 1] * (0.5 + place / len(weekdays)) for place, day in enumerate(weekdays)]
    return sorted(chance.choices(weekdays, weights, k=DEALS))


def _tell(chance: Random, story: Story, deal: int, begins: date, *, today: date, people: list[str]) -> None:
    """One deal from its first day to its end, or to today."""
    owner = chance.choices(range(len(OWNERS)), [share for share, _ in OWNERS])[0]
    mine = [account for account in story.accounts if account.owner == owner]
    account = _buyer(chance, mine if chance.random() < OWN_ACCOUNT else story.accounts)
    amount = round(math.exp(chance.gauss(8.4, 0.75)) * (account.employees / 100) ** 0.35, -2) + 500
    close = begins + timedelta(days=chance.randint(45, 120))
    first = {
        "Deal": f"{account.name}: {chance.choice(PRODUCTS)}",
        "Account": account.name,
        "Stage": "Lead",
        "Amount": f"{amount:.2f}",
        "Owner": people[owner],
        "Created": begins.isoformat(),
        "Expected close": close.isoformat(),
        "Source": chance.choices(SOURCES, (34, 18, 26, 12, 10))[0],
        "Next step": chance.choice(NEXT_STEPS),
    }
    story.days[begins].append(Event(begins, deal, owner, first))
    day = begins
    for place, (stage, usual, lost_here) in enumerate(PATH):
        day = _workday(day + timedelta(days=max(2, round(chance.lognormvariate(math.log(usual), 0.6)))))
        if day > today:
            return
        if place == len(PATH) - 1:
            if _end(chance, story, Event(day, deal, owner, {}), amount, OWNERS[owner][1] * 1.5):
                story.customers.add(account.name)
            return
        if chance.random() < lost_here:
            _end(chance, story, Event(day, deal, owner, {}), amount, 0)
            return
        cells = {"Stage": PATH[place + 1][0], "Next step": chance.choice(NEXT_STEPS)}
        if day + timedelta(days=20) > close and chance.random() < 0.7:  # The date slips, and slips again.
            close = day + timedelta(days=chance.randint(20, 60))
            cells["Expected close"] = close.isoformat()
        if stage == "Qualified":
            amount = round(amount * chance.uniform(0.85, 1.3), -2)
            cells["Amount"] = f"{amount:.2f}"
        story.days[day].append(Event(day, deal, owner, cells))


def _buyer(chance: Random, accounts: list[Account]) -> Account:
    """One of the accounts: the larger ones buy more often."""
    return chance.choices(accounts, [account.employees**0.3 for account in accounts])[0]


def _end(chance: Random, story: Story, event: Event, amount: float, chance_to_win: float) -> bool:
    """The last day of a deal; whether it was won."""
    cells = {"Expected close": event.day.isoformat(), "Next step": ""}
    won = chance.random() < chance_to_win
    if won:
        cells |= {"Stage": "Won", "Amount": f"{round(amount * chance.uniform(0.9, 1.0), -1):.2f}"}
    else:
        cells |= {"Stage": "Lost", "Lost reason": chance.choices(REASONS, (30, 28, 20, 14, 8))[0]}
    story.days[event.day].append(Event(event.day, event.deal, event.owner, cells))
    return won


def _workday(day: date) -> date:
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() > 4 else day
