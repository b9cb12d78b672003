"""The editor of a formula: its text with the place of a mistake, columns and functions to insert, and a preview."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Refused
from core.column_types import column_type
from core.column_types.computed import MoneyFormula, NumberFormula, PercentFormula
from core.column_types.currencies import CURRENCIES
from core.column_types.traits import NUMBERS
from core.computed.definitions import FORMULA
from core.formulas.compiler import FUNCTIONS
from core.rows.preview import FormulaPreview, formula_preview
from db.engine import transaction
from pages.components.app.format import literal

SHOWN_AS = {NumberFormula.name: "Number", MoneyFormula.name: "Money", PercentFormula.name: "Percent"}
PLACEHOLDER = 'Such as {Amount} * 0.2, or IF({Stage} = "Won", {Amount}, 0)'


@dataclass(frozen=True)
class FormulaInput:
    """What was put in: the type that the formula asks for, its rules, and whether it is valid."""

    type: str
    rules: dict[str, Any]
    is_valid: bool


def formula(
    actor: Actor,
    access: Access,
    rules: dict[str, Any],
    *,
    key: str,
    type_name: str = FORMULA,
    column_id: int | None = None,
) -> FormulaInput:
    """Draw the editor with the formula as people read it; return what was put in."""
    text_key, insert_key = f"{key}_formula", f"{key}_insert"
    st.session_state.setdefault(text_key, rules.get("formula", ""))
    text = st.text_area(
        "Formula", key=text_key, placeholder=PLACEHOLDER, height=100, help="Columns stand in brackets: {Amount}."
    )
    names = {
        f"{{{column.name.replace('}', '}}')}}}": f"{column.name} (column)"
        for column in access.columns
        if column.column_id != column_id
    }
    functions = {f"{function.name}(": f"{function.shown} — {function.help}" for function in FUNCTIONS.values()}
    choices = names | functions
    st.selectbox(
        "Insert a column or function",
        list(choices),
        index=None,
        format_func=choices.__getitem__,
        key=insert_key,
        placeholder="Type to search",
        on_change=_insert,
        args=(text_key, insert_key),
    )
    _help()
    if not text.strip():
        return FormulaInput(type_name, {"formula": text}, is_valid=False)
    chosen = {name: value for name, value in rules.items() if name != "formula"}
    preview, refusal = _preview(actor, access, type_name, chosen | {"formula": text}, column_id)
    if refusal is not None:
        st.error(literal(refusal.message))
        _mark(text, refusal)
        return FormulaInput(type_name, {"formula": text}, is_valid=False)
    if preview is not None and column_type(preview.column.type).form in NUMBERS:
        type_name, chosen = _number_form(access, preview.column.type, chosen, key)
        preview, _ = _preview(actor, access, type_name, chosen | {"formula": text}, column_id)
    if preview is not None:
        _show(preview)
    return FormulaInput(type_name, chosen | {"formula": text}, is_valid=True)


def _insert(text_key: str, insert_key: str) -> None:
    """Put the chosen piece at the end of the formula."""
    piece = st.session_state[insert_key]
    if piece:
        st.session_state[text_key] += piece
    st.session_state[insert_key] = None


def _number_form(access: Access, now: str, rules: dict[str, Any], key: str) -> tuple[str, dict[str, Any]]:
    """How a number is shown: its type, decimals and currency."""
    form_field, decimals_field, currency_field = st.columns(3)
    names = list(SHOWN_AS)
    type_name = form_field.selectbox(
        "Shown as", names, index=names.index(now), format_func=SHOWN_AS.__getitem__, key=f"{key}_form"
    )
    decimals = decimals_field.number_input(
        "Decimals", min_value=0, max_value=10, value=rules.get("decimals"), step=1, key=f"{key}_decimals",
        help="The result is rounded to these.", placeholder="Any",
    )  # fmt: skip
    chosen: dict[str, Any] = {} if decimals is None else {"decimals": decimals}
    if type_name == MoneyFormula.name:
        currencies = sorted(CURRENCIES)
        currency = rules.get("currency") or access.currency
        chosen["currency"] = currency_field.selectbox(
            "Currency", currencies, index=currencies.index(currency), key=f"{key}_currency"
        )
    return str(type_name), chosen


def _preview(
    actor: Actor, access: Access, type_name: str, rules: dict[str, Any], column_id: int | None
) -> tuple[FormulaPreview | None, Refused | None]:
    try:
        with transaction() as session:
            current = get_access(session, actor, access.sheet.sheet_id)
            return formula_preview(session, current, type_name, rules, column_id=column_id), None
    except Refused as refusal:
        return None, refusal


def _show(preview: FormulaPreview) -> None:
    st.caption("The first rows")
    frame = pd.DataFrame(preview.cells, columns=["Row", "Result"])
    st.dataframe(frame, hide_index=True, height="content")


def _mark(text: str, refusal: Refused) -> None:
    """The line of the formula with a mark under the mistake."""
    at = refusal.facts.get("position")
    if at is not None:
        before = text[:at]
        line = text[before.rfind("\n") + 1 :].split("\n", maxsplit=1)[0]
        st.code(f"{line}\n{' ' * (at - before.rfind(chr(10)) - 1)}▲", language=None)


def _help() -> None:
    with st.expander("Functions", icon=":material/function:"):
        lines = [(item.group, item.shown, item.help, item.example, item.result) for item in FUNCTIONS.values()]
        table = pd.DataFrame(lines, columns=["Group", "Function", "What it gives", "Example", "Result"])
        st.dataframe(table.sort_values(["Group", "Function"]), hide_index=True)
