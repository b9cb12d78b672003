"""Templates: the columns that a new sheet starts with."""

from dataclasses import dataclass, field

from core.column_types.base import Option
from core.sheets.columns import NewColumn


@dataclass(frozen=True)
class Template:
    """A named set of columns, which of them make a pipeline, or which one says whose a row is."""

    label: str
    description: str
    icon: str
    columns: tuple[NewColumn, ...] = ()
    pipeline: dict[str, str] = field(default_factory=dict)
    owner: str = ""


def stage(number: int, label: str, color: str, probability: int, kind: str = "open") -> Option:
    """A stage of a pipeline: its probability of being won in percent, and whether it is open, won or lost."""
    return Option(id=f"o{number}", label=label, color=color, probability=probability, kind=kind)


def choices(*labelled: tuple[str, str]) -> list[Option]:
    """Options from (label, colour) pairs."""
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
            NewColumn("Deal", "text", {"required": True}),
            NewColumn("Account", "text"),
            NewColumn("Stage", "choice", {}, STAGES),
            NewColumn("Amount", "money", {"decimals": 2, "min": "0"}),
            NewColumn("Owner", "person"),
            NewColumn("Created", "date"),
            NewColumn("Expected close", "date"),
            NewColumn("Source", "choice", {}, SOURCES),
            NewColumn("Next step", "text"),
            NewColumn("Lost reason", "choice", {}, LOST_REASONS),
            NewColumn("Notes", "long_text"),
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
            NewColumn("Name", "text", {"required": True, "unique": True}),
            NewColumn("Industry", "choice", {}, INDUSTRIES),
            NewColumn("Website", "link"),
            NewColumn("City", "text"),
            NewColumn("Country", "text"),
            NewColumn("Employees", "number", {"decimals": 0, "min": "0"}),
            NewColumn("Owner", "person"),
            NewColumn("Customer", "checkbox"),
            NewColumn("Notes", "long_text"),
        ),
        owner="Owner",
    ),
    "contacts": Template(
        label="Contacts",
        description="The people you talk to.",
        icon="contacts",
        columns=(
            NewColumn("Name", "text", {"required": True}),
            NewColumn("Account", "text"),
            NewColumn("Position", "text"),
            NewColumn("E-mail", "email"),
            NewColumn("Phone", "phone"),
            NewColumn("Last contact", "date"),
            NewColumn("Owner", "person"),
            NewColumn("Notes", "long_text"),
        ),
        owner="Owner",
    ),
    "blank": Template(
        label="Blank",
        description="",
        icon="table",
        columns=(NewColumn("Name", "text"), NewColumn("Notes", "long_text")),
    ),
}
