"""The story of the demo pipeline: which deals start, move, slip, are won or lost, by day. It is deterministic."""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from core.demo.names import FIRST, NEXT_STEPS, PRODUCTS, SECOND

MONTHS = 18
DEALS = 600
LARGEST = 800  # Employees. A much larger account would dominate every chart.
# Per owner: the share of deals, and how often a deal that reaches the last stage is won.
OWNERS = ((0.16, 0.52), (0.32, 0.46), (0.29, 0.38), (0.23, 0.27))
SOURCES = ("Inbound", "Referral", "Outbound", "Event", "Partner")
REASONS = ("Price", "No decision", "Competitor", "Timing", "Missing feature")
OWN_ACCOUNT = 0.85  # How often a deal's owner is the owner of its account.
# Per open stage: its name, the usual number of days in it, and the share of deals that are lost in it.
PATH = (("Lead", 17, 0.13), ("Qualified", 27, 0.11), ("Proposal", 32, 0.09), ("Negotiation", 24, 0.0))
# Per month: more deals start before the summer and at the end of the year, few in August.
SEASON = (0.8, 0.9, 1.15, 0.95, 1.0, 1.2, 0.85, 0.55, 1.1, 1.05, 1.15, 1.3)


@dataclass(frozen=True)
class Account:
    """A company of the demo; larger ones have larger deals."""

    name: str
    kind: str
    employees: int
    owner: int


@dataclass(frozen=True)
class Event:
    """The cells of a deal that change on a day, by column name. The first event of a deal adds its row."""

    day: date
    deal: int
    owner: int
    cells: dict[str, str]


@dataclass
class Story:
    """All events by day; `customers` are the accounts with a won deal."""

    accounts: list[Account]
    customers: set[str] = field(default_factory=set)
    days: dict[date, list[Event]] = field(default_factory=lambda: defaultdict(list))


def build_story(today: date, people: list[str]) -> Story:
    """Return the story that ends today; `people` are the owners' names."""
    rng = Random(2)  # noqa: S311 - not a secret.
    start = today - timedelta(days=round(MONTHS * 30.44))
    story = Story(_accounts(rng))
    for deal, start_day in enumerate(_start_days(rng, start, today)):
        _add_deal(rng, story, deal, start_day, today=today, people=people)
    return story


def _accounts(rng: Random) -> list[Account]:
    names = [f"{first} {second}" for first in FIRST for second in SECOND]
    picked = rng.sample(names, 60)
    return [
        Account(name, name.split()[1], min(int(math.exp(rng.gauss(4.6, 1.1))) + 5, LARGEST), index % len(OWNERS))
        for index, name in enumerate(picked)
    ]


def _start_days(rng: Random, start: date, today: date) -> list[date]:
    """Return the working days on which deals start: more as the team grows, by SEASON."""
    days = [start + timedelta(days=offset) for offset in range((today - start).days + 1)]
    weekdays = [day for day in days if day.weekday() < 5]
    weights = [SEASON[day.month - 1] * (0.5 + index / len(weekdays)) for index, day in enumerate(weekdays)]
    return sorted(rng.choices(weekdays, weights, k=DEALS))


def _add_deal(rng: Random, story: Story, deal: int, start_day: date, *, today: date, people: list[str]) -> None:
    """Add the events of one deal from its first day to its last, or to today."""
    owner = rng.choices(range(len(OWNERS)), [share for share, _ in OWNERS])[0]
    own_accounts = [account for account in story.accounts if account.owner == owner]
    account = _buyer(rng, own_accounts if rng.random() < OWN_ACCOUNT else story.accounts)
    amount = round(math.exp(rng.gauss(8.4, 0.75)) * (account.employees / 100) ** 0.35, -2) + 500
    close = start_day + timedelta(days=rng.randint(45, 120))
    first = {
        "Deal": f"{account.name}: {rng.choice(PRODUCTS)}",
        "Account": account.name,
        "Stage": "Lead",
        "Amount": f"{amount:.2f}",
        "Owner": people[owner],
        "Created": start_day.isoformat(),
        "Expected close": close.isoformat(),
        "Source": rng.choices(SOURCES, (34, 18, 26, 12, 10))[0],
        "Next step": rng.choice(NEXT_STEPS),
    }
    story.days[start_day].append(Event(start_day, deal, owner, first))
    day = start_day
    for index, (stage, usual_days, loss_rate) in enumerate(PATH):
        day = _workday(day + timedelta(days=max(2, round(rng.lognormvariate(math.log(usual_days), 0.6)))))
        if day > today:
            return
        if index == len(PATH) - 1:
            if _end(rng, story, Event(day, deal, owner, {}), amount, OWNERS[owner][1] * 1.5):
                story.customers.add(account.name)
            return
        if rng.random() < loss_rate:
            _end(rng, story, Event(day, deal, owner, {}), amount, 0)
            return
        cells = {"Stage": PATH[index + 1][0], "Next step": rng.choice(NEXT_STEPS)}
        if day + timedelta(days=20) > close and rng.random() < 0.7:  # The close date slips.
            close = day + timedelta(days=rng.randint(20, 60))
            cells["Expected close"] = close.isoformat()
        if stage == "Qualified":
            amount = round(amount * rng.uniform(0.85, 1.3), -2)
            cells["Amount"] = f"{amount:.2f}"
        story.days[day].append(Event(day, deal, owner, cells))


def _buyer(rng: Random, accounts: list[Account]) -> Account:
    """Return one of the accounts; larger ones buy more often."""
    return rng.choices(accounts, [account.employees**0.3 for account in accounts])[0]


def _end(rng: Random, story: Story, event: Event, amount: float, win_rate: float) -> bool:
    """Add the last event of a deal; return whether it was won."""
    cells = {"Expected close": event.day.isoformat(), "Next step": ""}
    won = rng.random() < win_rate
    if won:
        cells |= {"Stage": "Won", "Amount": f"{round(amount * rng.uniform(0.9, 1.0), -1):.2f}"}
    else:
        cells |= {"Stage": "Lost", "Lost reason": rng.choices(REASONS, (30, 28, 20, 14, 8))[0]}
    story.days[event.day].append(Event(event.day, event.deal, event.owner, cells))
    return won


def _workday(day: date) -> date:
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() > 4 else day
