"""The plan of an import: how the file is read, and where each of its columns goes. Proposed, then decided."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.access.access import Access, ColumnInfo
from core.base.errors import Invalid
from core.base.text import folded_key
from core.column_types import column_type
from core.column_types.base import NO_REFERENCES, Draft, Option, References
from core.column_types.choices import LABEL_LENGTH
from core.imports.inspection import Inspection, Sample
from core.imports.plan_types import ColumnPlan, ImportPlan, OnMisfit
from core.imports.stages import with_probabilities
from core.imports.type_guess import Proposal, options_for, propose_type
from core.sheets.column_rules import checked_options, checked_rules
from core.sheets.columns import NewColumn, with_currency
from core.workspace.settings import DEFAULT_CURRENCY

# Rules that say how this file writes values. They do not become rules of the column.
READING = ("number_format", "date_order", "time_zone")
_PROPOSED_FROM = 2_000


def propose(
    inspection: Inspection,
    access: Access | None = None,
    *,
    references: References = NO_REFERENCES,
    currency: str = DEFAULT_CURRENCY,
) -> ImportPlan:
    """Columns of the same name go together; the others become new ones, of the type that their values have.

    Without an access the plan is for a new sheet, with these `references` and the `currency` of the workspace.
    """
    columns_by_name = {folded_key(column.name): column for column in access.columns} if access else {}
    references = access.references if access else references
    usual = access.currency if access else currency
    columns = [
        _proposed(position, name, sample, columns_by_name.get(folded_key(name)), references, currency=usual)
        for position, (name, sample) in enumerate(zip(inspection.names, inspection.samples, strict=True))
    ]
    return ImportPlan(inspection.format, tuple(columns), inspection.rows)


def proposal(sample: Sample, name: str, references: References) -> Proposal:
    """The type of a column of the file. A sample decides; where it leaves a rule open, all its texts do."""
    labels = sample.labels
    step = max(len(labels) // _PROPOSED_FROM, 1)
    guess = propose_type([*sample.first, *labels[::step]], name, references)
    if guess.undecided and step > 1:
        guess = propose_type(labels, name, references)
    if guess.options:
        guess = replace(guess, options=with_probabilities(guess.options))
    return guess


def new_column(
    plan: ColumnPlan, sample: Sample, type_name: str, references: References, *, currency: str = DEFAULT_CURRENCY
) -> ColumnPlan:
    """Return the plan with a new column of this type. Choices get the labels that the file has."""
    guess = proposal(sample, plan.name, references)
    rules, options = ({}, []) if guess.type != type_name else (guess.rules, guess.options)
    if column_type(type_name).has_options and not options:
        options = with_probabilities(options_for(_fitting_labels(sample.labels)))
    column = with_currency(NewColumn(plan.name, type_name, _lasting(rules), options), currency)
    return replace(plan, column=None, new=column, labels=(), reading=_reading(guess, type_name), undecided=_open(guess))


def existing_column(plan: ColumnPlan, sample: Sample, column: ColumnInfo, references: References) -> ColumnPlan:
    """The plan with this column of the sheet as its target."""
    guess = proposal(sample, plan.name, references)
    into = {"column": column.column_id, "new": None, "labels": ()}
    return replace(plan, **into, reading=_reading(guess, column.type), undecided=_open(guess))  # type: ignore[arg-type]


def missing_labels(sample: Sample, column: ColumnInfo) -> list[str]:
    """Return the labels in the file that this choice column has no option for, each once."""
    kind = column_type(column.type)
    if not (kind.has_options and kind.groups_by_id):
        return []
    existing = {folded_key(option.label) for option in column.options if not option.retired}
    labels_by_key: dict[str, str] = {}
    for label in _fitting_labels(sample.labels):
        labels_by_key.setdefault(folded_key(label), " ".join(label.split()))
    return [label for folded, label in labels_by_key.items() if folded not in existing]


def with_labels(column: ColumnInfo, labels: Sequence[str]) -> list[Option]:
    """The column's options with these labels added; one that was retired comes back."""
    labels_by_key = {folded_key(label): label for label in labels}
    options = [
        replace(option, retired=option.retired and folded_key(option.label) not in labels_by_key)
        for option in column.options
    ]
    existing = {folded_key(option.label) for option in options if not option.retired}
    added = [Option(id="", label=label) for folded, label in labels_by_key.items() if folded not in existing]
    kind, used_ids = column_type(column.type), column.earlier_option_ids
    return checked_options(kind, [*options, *added], before=column.options, used_ids=used_ids)


def plan_from_json(body: Mapping[str, Any], proposed: ImportPlan, inspection: Inspection, access: Access) -> ImportPlan:
    """The proposed plan with what a program decided otherwise. Columns are named by `source` or by `name`."""
    if unknown := set(body) - {"format", "columns", "rows", "fills_defaults"}:
        raise Invalid(f"A plan has no “{min(unknown)}”; it has format and columns.")
    columns = body.get("columns", [])
    if not isinstance(columns, list) or not all(isinstance(decision, dict) for decision in columns):
        raise Invalid("The columns of a plan are a list of objects.")
    plan = replace(proposed, fills_defaults=body.get("fills_defaults") is True)
    for decision in columns:
        column_plan = _named(plan, decision)
        plan = plan.changed(column_plan.source, **_decided(decision, access.currency))
        if decision.get("add_options"):
            column = access.column(plan.columns[column_plan.source].column or 0)
            labels = missing_labels(inspection.samples[column_plan.source], column)
            plan = plan.changed(column_plan.source, labels=tuple(labels))
    return plan


def _proposed(
    source: int, name: str, sample: Sample, column: ColumnInfo | None, references: References, *, currency: str
) -> ColumnPlan:
    plan = ColumnPlan(source, name)
    if column and column.is_computed:  # As in a file that was exported here: its cells are computed again.
        return plan
    if column:
        return existing_column(plan, sample, column, references)
    guess = proposal(sample, name, references)
    new = with_currency(NewColumn(name, guess.type, _lasting(guess.rules), guess.options), currency)
    return replace(plan, new=new, reading=_reading(guess, guess.type), undecided=_open(guess))


def _lasting(rules: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rules.items() if name not in READING}


def _reading(guess: Proposal, type_name: str) -> dict[str, str]:
    """How this file writes the values of a column of this type."""
    rules = {rule.key for rule in column_type(type_name).takes}
    return {name: guess.rules[name] for name in READING if name in guess.rules and name in rules}


def _open(guess: Proposal) -> tuple[str, ...]:
    return tuple(name for name in guess.undecided if name in READING)


def _fitting_labels(labels: Iterable[str]) -> list[str]:
    return [label for label in labels if len(label) <= LABEL_LENGTH and "\0" not in label]


def _named(plan: ImportPlan, decision: Mapping[str, Any]) -> ColumnPlan:
    source, name = decision.get("source"), decision.get("name")
    for column in plan.columns:
        if column.source == source or (source is None and column.name == name):
            return column
    raise Invalid(f"The file has no column “{name if source is None else source}”.")


def _decided(decision: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """The parts of a column's plan that were given, checked."""
    changes: dict[str, Any] = {}
    try:
        if "column" in decision:
            changes["column"] = None if decision["column"] is None else int(decision["column"])
        if "new" in decision:
            changes["new"] = (
                None if decision["new"] is None else with_currency(_new_from_json(decision["new"]), currency)
            )
        if decision.get("column") is not None:
            changes["new"] = None
        elif decision.get("new") is not None:
            changes["column"] = None
        if decision.get("skip"):
            changes |= {"column": None, "new": None}
        if "on_misfit" in decision:
            changes["on_misfit"] = OnMisfit(decision["on_misfit"])
        changes |= {name: tuple(map(str, decision[name])) for name in ("labels",) if name in decision}
        if "reading" in decision:
            changes["reading"] = {str(rule): str(value) for rule, value in decision["reading"].items()}
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise Invalid(f"The plan of a column cannot be read: {error}.") from error
    return changes


def _new_from_json(body: Mapping[str, Any]) -> NewColumn:
    options = [Option.read({"id": "", **option}) for option in body.get("options") or []]
    kind = column_type(body["type"])
    rules = checked_rules(kind, dict(body.get("rules") or {}))
    return NewColumn(str(body["name"]), kind.name, rules, checked_options(kind, options))


def draft(column: ColumnInfo | NewColumn, reading: Mapping[str, str], options: Sequence[Option]) -> Draft:
    """What the texts of a column are read by: its own rules, and how this file writes them."""
    takes = {rule.key for rule in column_type(column.type).takes}
    hints = {name: value for name, value in reading.items() if name in takes}
    return Draft(column.type, {**column.rules, **hints}, options)
