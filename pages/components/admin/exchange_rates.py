"""The exchange rates of the workspace: edited in a table, or imported from pasted lines."""

from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from core.base.actor import Actor
from core.base.exact_json import decimal_text
from core.column_types.currencies import CURRENCIES
from core.workspace.exchange_rates import Rate, exchange_rates, import_exchange_rates, set_exchange_rates
from db.engine import transaction
from pages.components.app.errors import run_command

FIELDS = ("Currency", "Day", "Rate")
ROUND = "rates_round"  # A new table after a change, so that no edit is applied twice.
MESSAGE = "rates_message"


def show(actor: Actor, base: str) -> None:
    """Draw the rates to the workspace's currency."""
    if message := st.session_state.pop(MESSAGE, None):
        st.toast(message, icon=":material/check:")
    with transaction() as session:
        rates = exchange_rates(session)
    st.subheader("Exchange rates")
    st.caption(
        f"What one unit is worth in {base} from a day on. The dashboard converts closed deals by the rate of the "
        "day they closed, and open ones by today's."
    )
    key = f"rates_{st.session_state.get(ROUND, 0)}"
    table = st.data_editor(
        pd.DataFrame(
            [(rate.currency, rate.day, decimal_text(rate.rate)) for rate in rates], columns=list(FIELDS)
        ).astype({"Currency": "string", "Day": "object", "Rate": "string"}),
        num_rows="dynamic",
        hide_index=True,
        key=key,
        height="auto" if len(rates) < 10 else 380,
        column_config={
            "Currency": st.column_config.SelectboxColumn(options=sorted(CURRENCIES - {base}), required=True),
            "Day": st.column_config.DateColumn(required=True, format="YYYY-MM-DD"),
            "Rate": st.column_config.TextColumn(f"1 unit in {base}", required=True, validate=r"^\d+([.,]\d+)?$"),
        },
    )
    if st.button("Save rates") and run_command(_save, actor, rates, table.to_dict("records")):
        _done("The rates are saved.")
    with st.expander("Import rates"):
        text = st.text_area(
            "Lines of currency, day and rate", key=f"{key}_text", placeholder="USD;2026-11-30;0.92", height=140
        )
        file = st.file_uploader("Or a CSV file of these", type=["csv", "txt"], key=f"{key}_file")
        content = file.getvalue().decode("utf-8-sig", errors="replace") if file else text
        if st.button("Import", disabled=not content.strip()) and run_command(_import, actor, content):
            _done("The rates are imported.")


def _save(actor: Actor, before: list[Rate], lines: list[dict[Any, Any]]) -> None:
    after = {(rate.currency, rate.day): rate for rate in map(_rate, lines)}
    known = {(rate.currency, rate.day): rate for rate in before}
    changed = [rate for key, rate in after.items() if known.get(key) != rate]
    with transaction() as session:
        set_exchange_rates(session, actor, changed, removed=[key for key in known if key not in after])


def _rate(line: dict[Any, Any]) -> Rate:
    day = line["Day"]
    return Rate(
        str(line["Currency"]),
        day if type(day) is date else pd.Timestamp(day).date(),
        Decimal(str(line["Rate"]).replace(",", ".")),
    )


def _import(actor: Actor, text: str) -> None:
    with transaction() as session:
        import_exchange_rates(session, actor, text)


def _done(message: str) -> None:
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    st.session_state[MESSAGE] = message
    st.rerun()
