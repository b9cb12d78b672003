"""Where each column of a file goes: one card a column, with what was proposed and what can be chosen instead."""

from dataclasses import replace

import streamlit as st

from core.access.access import Access
from core.base.permissions import Permission
from core.column_types import TYPES, Text, column_type
from core.column_types.base import References
from core.column_types.currencies import CURRENCIES
from core.column_types.date_text import SHORT_YEARS, has_short_year
from core.imports.inspection import Inspection, Sample
from core.imports.plan import existing_column, missing_labels, new_column
from core.imports.plan_types import ColumnPlan, ImportPlan
from pages.components.app.format import literal

NEW, OUT = "new", "out"
_EXAMPLES = 3
_LOOKED_AT = 1_000
_READINGS = {
    "number_format": ("Numbers are written", {"": "As they prove it", "1,234.56": "1,234.56", "1.234,56": "1.234,56"}),
    "date_order": (
        "03/04/2026 is",
        {"": "Refused", "day first": "3 April (day first)", "month first": "4 March (month first)"},
    ),
}


def show(
    inspection: Inspection, plan: ImportPlan, access: Access | None, references: References, key: str, *, currency: str
) -> ImportPlan:
    """The cards; the plan as it is chosen in them. `currency`: that of a new column of money which shows no other."""
    columns = [
        _card(inspection, column, access, references, f"{key}_{column.source}", currency=currency)
        for column in plan.columns
    ]
    return replace(plan, columns=tuple(columns))


def _card(
    inspection: Inspection, plan: ColumnPlan, access: Access | None, references: References, key: str, *, currency: str
) -> ColumnPlan:
    sample = inspection.samples[plan.source]
    with st.container(border=True):
        about, into, kind = st.columns([4, 3, 3], vertical_alignment="center")
        about.markdown(f"**{literal(plan.name)}**")
        examples = [text[:40] for text in sample.labels[:_EXAMPLES]]
        about.caption(literal(" · ".join(examples)) if examples else "always empty")
        target = _target(into, plan, access, key)
        if target == OUT:
            return replace(plan, column=None, new=None)
        if target == NEW:
            type_name = _type(kind, plan, key)
            if plan.new is None or type_name != plan.new.type:
                plan = new_column(plan, sample, type_name, references, currency=currency)
            plan = _currency(plan, key)
        elif access:
            column = access.column(int(target))
            if plan.column != column.column_id:
                plan = existing_column(plan, sample, column, references)
            kind.caption(f"{column_type(column.type).label}, as in the sheet")
            plan = _labels(inspection, plan, access, key)
        return _reading(plan, sample, access, key)


def _target(container: "st.delta_generator.DeltaGenerator", plan: ColumnPlan, access: Access | None, key: str) -> str:
    may_make = access is None or Permission.COLUMNS_EDIT in access.permissions
    columns = [column for column in (access.columns if access else ()) if not column.is_computed]
    options = {str(column.column_id): column.name for column in columns}
    options |= {NEW: "New column"} if may_make else {}
    options |= {OUT: "Leave out"}
    proposed = str(plan.column) if plan.column else NEW if plan.new and may_make else OUT
    target = container.selectbox(
        f"{literal(plan.name)} goes to",
        list(options),
        list(options).index(proposed),
        format_func=options.__getitem__,
        key=f"{key}_target",
        label_visibility="collapsed",
    )
    return str(target)


def _type(container: "st.delta_generator.DeltaGenerator", plan: ColumnPlan, key: str) -> str:
    types = list(TYPES)
    proposed = plan.new.type if plan.new else Text.name
    type_name = container.selectbox(
        f"Type of {literal(plan.name)}",
        types,
        types.index(proposed),
        format_func=lambda name: TYPES[name].label,
        key=f"{key}_type",
        label_visibility="collapsed",
    )
    return str(type_name)


def _labels(inspection: Inspection, plan: ColumnPlan, access: Access, key: str) -> ColumnPlan:
    """Offer to add the labels that are not options yet, if the user may change columns."""
    column = access.column(plan.column or 0)
    labels = missing_labels(inspection.samples[plan.source], column)
    if not labels:
        return plan
    label_list = ", ".join(literal(label[:40]) for label in labels[:6]) + (" …" if len(labels) > 6 else "")
    if Permission.COLUMNS_EDIT not in access.permissions:
        st.caption(f"No options of this column yet: {label_list}. Only the sheet’s owner adds options.")
        return plan
    added = st.checkbox(
        f"Add {'these options' if len(labels) > 1 else 'the option'}: {label_list}", key=f"{key}_labels"
    )
    return replace(plan, labels=tuple(labels) if added else ())


def _currency(plan: ColumnPlan, key: str) -> ColumnPlan:
    """Which currency the amounts of a new column are in."""
    if plan.new is None or not column_type(plan.new.type).has_currency:
        return plan
    codes = sorted(CURRENCIES)
    proposed = codes.index(plan.new.rules["currency"])
    code = st.selectbox("Currency", codes, proposed, key=f"{key}_currency", width=160)
    return replace(plan, new=replace(plan.new, rules={**plan.new.rules, "currency": str(code)}))


def _reading(plan: ColumnPlan, sample: Sample, access: Access | None, key: str) -> ColumnPlan:
    """How this file writes numbers and dates, where there is a choice."""
    name = plan.new.type if plan.new else access.column(plan.column).type if access and plan.column else Text.name
    takes = {rule.key for rule in column_type(name).takes}
    if "date_order" in takes and any(map(has_short_year, sample.labels[:_LOOKED_AT])):
        st.caption(SHORT_YEARS)
    reading = dict(plan.reading)
    for rule in _READINGS.keys() & takes:
        reading[rule] = _asked(plan, rule, reading.get(rule, ""), key)
    return replace(plan, reading={rule: value for rule, value in reading.items() if value})


def _asked(plan: ColumnPlan, rule: str, proposed: str, key: str) -> str:
    label, choices = _READINGS[rule]
    if rule in plan.undecided:
        st.warning("The values of this column can be read in two ways. Say which is meant.", icon=":material/help:")
    elif not proposed:
        return ""
    answer = st.segmented_control(
        label, list(choices), default=proposed, format_func=choices.__getitem__, key=f"{key}_{rule}", required=True
    )
    return str(answer or "")
