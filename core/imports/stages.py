"""Stages: what their names say about a sale, and which columns of a file make a pipeline."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from core.column_types.base import Option
from core.imports.plan_types import ImportPlan
from core.sheets.columns import NewColumn
from core.sheets.sheets import PIPELINE_FIELDS

# In the order of a sale: the probability in percent that people give to a stage of such a name.
_NAMES = {
    5: "lead new suspect neu nouveau nouvelle piste nuevo",
    10: "prospecting prospect prospektion prospection prospecto akquise appointment",
    20: "qualification qualified qualify qualifiziert qualifié qualifiziert contacted kontaktiert erstkontakt contact",
    25: "discovery analysis needs bedarf analyse besoins presentation demo",
    40: "engaging engaged engagement value decision interest evaluation évaluation",
    50: "proposal proposition quote quoted angebot devis offre propuesta oferta offer price",
    70: "negotiation negotiating review verhandlung négociation negociación contract vertrag contrat commit",
    90: "verbal verbally closing signature unterschrift mündlich",
}
_PROBABILITY = {word: probability for probability, words in _NAMES.items() for word in words.split()}
_EVEN = 50

# Words in the names of columns, by their role in a pipeline; the first that fits counts.
_PARTS = {
    "amount": r"amount|value|revenue|price|arr|acv|tcv|betrag|wert|umsatz|montant|valeur|importe|valor|volumen",
    "close_date": r"clos|abschluss|clôture|cloture|cierre|expected|erwartet|prévu|won|end",
    "created": r"creat|engage|open|start|begin|erstellt|angelegt|beginn|début|debut|créé|inicio|erfasst",
    "owner": (
        r"owner|agent|seller|rep\b|salesperson|sales_?rep|verantwort|inhaber|besitzer"
        r"|verkäufer|vendeur|commercial|propri|vendedor"
    ),
    "account": r"account|company|customer|client|organi[sz]ation|kunde|firma|société|entreprise|cliente|empresa",
    "probability": r"prob|wahrscheinlich|chance",
}


def with_probabilities(options: Sequence[Option]) -> list[Option]:
    """Stages in the order of a sale, each with a probability; other choices stay as they are."""
    if not any(option.kind for option in options):
        return list(options)
    stages = [
        replace(option, probability=_probability(option.label)) if option.kind == "open" else option
        for option in options
    ]
    stages.sort(key=lambda option: (option.kind != "open", option.kind != "won", _rank(option)))
    return [replace(option, id=f"o{number}") for number, option in enumerate(stages, 1)]


def guess_parts(plan: ImportPlan) -> dict[str, int]:
    """Return the new columns that are the stage, the amount and so on: role → source. Empty: not a pipeline."""
    columns = {column.source: column.new for column in plan.columns if column.new}
    stages = [source for source in _fitting(columns, "stage") if _are_stages(columns[source].options)]
    if not stages:
        return {}
    parts = {"stage": stages[0]}
    for role, words in _PARTS.items():
        by_name = [source for source in _fitting(columns, role) if _says(columns[source].name, words)]
        free = [source for source in by_name if source not in parts.values()]
        if free:
            parts[role] = free[0]
    return parts


def _fitting(columns: Mapping[int, NewColumn], role: str) -> list[int]:
    """Return the sources of the columns whose type fits this role in a pipeline."""
    return [source for source, new in columns.items() if new.type in PIPELINE_FIELDS[role]]


def stages_of(options: Iterable[Option], settings: Mapping[str, tuple[str, int]]) -> list[Option]:
    """Return the options with the kinds and probabilities that `settings` gives by label."""
    return [
        replace(option, kind=settings[option.label][0], probability=settings[option.label][1])
        if option.label in settings
        else option
        for option in options
    ]


def as_stages(options: Sequence[Option]) -> list[Option]:
    """Choices that become stages: those without a kind are open."""
    return with_probabilities([replace(option, kind=option.kind or "open") for option in options])


def _are_stages(options: Iterable[Option]) -> bool:
    return {"won", "lost"} <= {option.kind for option in options if option.kind}


def _says(name: str, words: str) -> bool:
    return bool(re.search(words, name, re.IGNORECASE))


def _probability(label: str) -> int:
    words = re.findall(r"[^\W\d_]+", label.lower())
    return next((_PROBABILITY[word] for word in words if word in _PROBABILITY), _EVEN)


def _rank(option: Option) -> int:
    return option.probability if option.kind == "open" and option.probability is not None else 0
