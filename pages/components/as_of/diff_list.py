"""The list of what differs between two moments of a sheet, row by row."""

from itertools import groupby

import streamlit as st

from core.access.access import Access
from core.accounts.locale import Locale
from core.history.diff import Difference, DifferenceEntry
from pages.components.app.format import cell, literal, moment, shortened

PAGE = 50
MAX_TEXT = 100
ROWS = {"added": ":green[row added]", "deleted": ":red[row deleted]"}


@st.dialog("Differences", width="medium")
def show(access: Access, diff: Difference, locale: Locale) -> None:
    """The differences of a page, each row with its cells before and after, who changed them last and when."""
    pages = (len(diff.entries) - 1) // PAGE + 1
    heading = st.container()
    page = st.pagination(pages, key="past_page") if pages > 1 else 1
    with heading:
        for _, together in groupby(diff.entries[(page - 1) * PAGE : page * PAGE], key=lambda entry: entry.row):
            cells = list(together)
            lines = [f"  - {_line(access, entry, locale)}" for entry in cells]
            title = "" if cells[0].row_title == f"#{cells[0].row}" else shortened(cells[0].row_title, MAX_TEXT)
            st.markdown("\n".join([f"- **\\#{cells[0].row}** {literal(title)}", *lines]))


def _line(access: Access, entry: DifferenceEntry, locale: Locale) -> str:
    """What a cell was and what it became, or what became of the row."""
    about = f":gray[{literal(entry.by)}, {moment(entry.at, locale)}]"
    if entry.column is None:
        return f"{ROWS[entry.kind]} · {about}"
    column = access.column(entry.column)
    old, new = (
        literal(shortened(cell(text, column, locale), MAX_TEXT)) if text else ":gray[empty]"
        for text in (entry.old, entry.new)
    )
    return f"{literal(column.name)}: {old} :gray[→] {new} · {about}"
