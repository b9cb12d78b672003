"""What was found in a file: its encoding, delimiter and header, shown and open to change."""

from typing import Any

import streamlit as st

from core.imports.encoding import ENCODINGS
from core.imports.format import DELIMITERS, QUOTES, FileFormat
from core.imports.inspection import Inspection
from pages.components.app.format import literal


def summary(inspection: Inspection) -> None:
    """A line that says what was found, and what a person should know of it."""
    file_format = inspection.format
    delimiter = DELIMITERS.get(file_format.delimiter, file_format.delimiter).lower()
    header = f"column names in line {file_format.lines_above + 1}" if file_format.has_header else "no column names"
    size = f"{inspection.rows:,} rows, {inspection.width} columns"
    st.markdown(f"**{size}** · {ENCODINGS[file_format.encoding]} · {delimiter} · {header}")
    for note in inspection.notes:
        st.caption(f":material/info: {literal(note)}")
    if inspection.above:
        st.caption(f"Above the table: {literal(' / '.join(line for line in inspection.above if line))}")


def choices(detected: FileFormat, key: str) -> dict[str, Any]:
    """What can be chosen instead of what was detected; only what differs from it."""
    first_column, second_column = st.columns(2)
    delimiters = dict.fromkeys([*DELIMITERS, detected.delimiter])
    values = {
        "encoding": first_column.selectbox(
            "Encoding",
            list(ENCODINGS),
            list(ENCODINGS).index(detected.encoding),
            format_func=ENCODINGS.__getitem__,
            key=f"{key}_encoding",
        ),
        "delimiter": second_column.selectbox(
            "Delimiter",
            list(delimiters),
            list(delimiters).index(detected.delimiter),
            format_func=lambda delimiter: DELIMITERS.get(delimiter, delimiter),
            key=f"{key}_delimiter",
        ),
        "quote": first_column.selectbox(
            "Quotation marks",
            list(QUOTES),
            list(QUOTES).index(detected.quote),
            format_func=QUOTES.__getitem__,
            key=f"{key}_quote",
        ),
        "lines_above": int(
            second_column.number_input("Lines above the table", 0, 1000, detected.lines_above, key=f"{key}_above")
        ),
        "has_header": st.checkbox("The first line names the columns", detected.has_header, key=f"{key}_header"),
    }
    return {name: value for name, value in values.items() if value != getattr(detected, name)}
