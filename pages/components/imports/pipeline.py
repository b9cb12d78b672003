"""A new sheet as a pipeline: which columns of the file are the stage, the amount and so on, what the stages mean."""

from dataclasses import replace
from functools import partial

import streamlit as st

from core.column_types.base import Option
from core.imports.plan_types import ImportPlan
from core.imports.stages import as_stages, guess_parts, stages_of
from core.sheets.sheets import PIPELINE_FIELDS
from pages.components.app.format import literal

LABELS = {
    "stage": "Stage",
    "amount": "Amount",
    "close_date": "Close date",
    "owner": "Owner",
    "account": "Account",
    "created": "Created",
    "probability": "Probability",
}
KINDS = {"open": "Open", "won": "Won", "lost": "Lost"}
_MAX_STAGES = 30


def show(plan: ImportPlan, key: str) -> tuple[ImportPlan, dict[str, int]]:
    """The plan with its stages as chosen, and which column of the file plays which part; none for a plain table."""
    guessed = guess_parts(plan)
    if not st.toggle("This is a sales pipeline", bool(guessed), key=f"{key}_pipeline"):
        return plan, {}
    if not _fitting(plan, "stage"):
        st.warning("A pipeline needs a stage: give one of the columns the type Choice.", icon=":material/help:")
        return plan, {}
    parts = _parts(plan, guessed, key)
    return _stages(plan, parts["stage"], f"{key}_{parts['stage']}"), parts


def _fitting(plan: ImportPlan, field: str) -> dict[int, str]:
    """The new columns whose type can play this part, by their place in the file."""
    types = PIPELINE_FIELDS[field]
    return {column.source: column.new.name for column in plan.columns if column.new and column.new.type in types}


def _parts(plan: ImportPlan, guessed: dict[str, int], key: str) -> dict[str, int]:
    sources: dict[str, int | None] = {}
    containers = st.columns(3)
    for number, (field, label) in enumerate(LABELS.items()):
        fitting = _fitting(plan, field)
        options: list[int | None] = [*fitting] if field == "stage" else [None, *fitting]
        proposed = guessed.get(field)
        sources[field] = containers[number % 3].selectbox(
            label,
            options,
            options.index(proposed) if proposed is not None and proposed in options else 0,
            format_func=partial(_named, fitting),
            key=f"{key}_{field}",
        )
    return {field: source for field, source in sources.items() if source is not None}


def _named(fitting: dict[int, str], source: int | None) -> str:
    return "–" if source is None else fitting[source]


def _stages(plan: ImportPlan, source: int, key: str) -> ImportPlan:
    new = plan.columns[source].new
    if new is None:
        return plan
    stages = as_stages(new.options)
    st.caption("What each stage means. The probability weighs the open amounts.")
    meanings = {stage.label: _stage(stage, f"{key}_{number}") for number, stage in enumerate(stages[:_MAX_STAGES])}
    return plan.changed(source, new=replace(new, options=stages_of(stages, meanings)))


def _stage(stage: Option, key: str) -> tuple[str, int]:
    name, kind, chance = st.columns([3, 3, 2], vertical_alignment="center")
    name.markdown(f"**{literal(stage.label)}**")
    stage_kind = kind.segmented_control(
        f"Kind of {literal(stage.label)}",
        list(KINDS),
        default=stage.kind or "open",
        format_func=KINDS.__getitem__,
        key=f"{key}_kind",
        required=True,
        label_visibility="collapsed",
    )
    fixed = {"won": 100, "lost": 0}.get(str(stage_kind))
    if fixed is not None:
        chance.caption(f"{fixed} %")
        return str(stage_kind), fixed
    default = stage.probability if stage.kind == "open" and stage.probability is not None else 50
    probability = chance.number_input(
        f"Probability of {literal(stage.label)}",
        0,
        100,
        default,
        step=5,
        key=f"{key}_chance",
        label_visibility="collapsed",
    )
    return "open", int(probability)
