"""Templates: the columns that a new sheet starts with."""

from dataclasses import dataclass, field

from core.column_types import Checkbox, Choice, Date, Email, Link, LongText, Money, Number, Person, Phone, Text
from core.column_types.base import Option
from core.sheets.columns import NewColumn


@dataclass(frozen=True)
class Template:
    """A set of columns, with the pipeline's fields or the row-owner column by column name."""

    label: str
    description: str
    icon: str
    columns: tuple[NewColumn, ...] = ()
    pipeline: dict[str, str] = field(default_factory=dict)
    owner: str = ""


def stage(number: int, label: str, color: str, probability: int, kind: str = "open") -> Option:
    """Return a stage: its probability to win in percent, and whether it is open, won or lost."""
    return Option(id=f"o{number}", label=label, color=color, probability=probability, kind=kind)


def choices(*labelled: tuple[str, str]) -> list[Option]:
    """Return options from (label, colour) pairs."""
    return [Option(id=f"o{number}", label=label, color=color) for number, (label, color) in enumerate(labelled, 1)]


STAGES = [
    stage(1, "Lead", "gray", 5),
    stage(2, "Qualified", "blue", 20),
    stage(3, "Proposal", "violet", 45),
    stage(4, "Negotiation", "orange", 70),
    stage(5, "Won", "green", 100, "won"),
    stage(6, "Lost", "red", 0, "lost"),
]
SOURCES = choices(
    ("Inbound", "blue"), ("Referral", "green"), ("Outbound", "orange"), ("Event", "violet"), ("Partner", "gray")
)
INDUSTRIES = choices(
    ("Software", "blue"),
    ("Manufacturing", "orange"),
    ("Retail", "violet"),
    ("Health", "green"),
    ("Finance", "gray"),
    ("Public sector", "red"),
)
LOST_REASONS = choices(
    ("Price", "red"),
    ("No decision", "gray"),
    ("Competitor", "orange"),
    ("Timing", "blue"),
    ("Missing feature", "violet"),
)

TEMPLATES: dict[str, Template] = {
    "pipeline": Template(
        label="Sales pipeline",
        description="Deals with their stage, amount, expected close and owner.",
        icon="filter_alt",
        columns=(
            NewColumn("Deal", Text.name, {"required": True}),
            NewColumn("Account", Text.name),
            NewColumn("Stage", Choice.name, {}, STAGES),
            NewColumn("Amount", Money.name, {"decimals": 2, "min": "0"}),
            NewColumn("Owner", Person.name),
            NewColumn("Created", Date.name),
            NewColumn("Expected close", Date.name),
            NewColumn("Source", Choice.name, {}, SOURCES),
            NewColumn("Next step", Text.name),
            NewColumn("Lost reason", Choice.name, {}, LOST_REASONS),
            NewColumn("Notes", LongText.name),
        ),
        pipeline={
            "stage": "Stage",
            "amount": "Amount",
            "close_date": "Expected close",
            "created": "Created",
            "owner": "Owner",
            "account": "Account",
        },
    ),
    "accounts": Template(
        label="Accounts",
        description="Companies you sell to.",
        icon="apartment",
        columns=(
            NewColumn("Name", Text.name, {"required": True, "unique": True}),
            NewColumn("Industry", Choice.name, {}, INDUSTRIES),
            NewColumn("Website", Link.name),
            NewColumn("City", Text.name),
            NewColumn("Country", Text.name),
            NewColumn("Employees", Number.name, {"decimals": 0, "min": "0"}),
            NewColumn("Owner", Person.name),
            NewColumn("Customer", Checkbox.name),
            NewColumn("Notes", LongText.name),
        ),
        owner="Owner",
    ),
    "contacts": Template(
        label="Contacts",
        description="The people you talk to.",
        icon="contacts",
        columns=(
            NewColumn("Name", Text.name, {"required": True}),
            NewColumn("Account", Text.name),
            NewColumn("Position", Text.name),
            NewColumn("E-mail", Email.name),
            NewColumn("Phone", Phone.name),
            NewColumn("Last contact", Date.name),
            NewColumn("Owner", Person.name),
            NewColumn("Notes", LongText.name),
        ),
        owner="Owner",
    ),
    "blank": Template(
        label="Blank",
        description="",
        icon="table",
        columns=(NewColumn("Name", Text.name), NewColumn("Notes", LongText.name)),
    ),
}
