"""The short cuts of reading answer what the column types answer, for every text."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import Invalid
from core.base.exact_json import dumps
from core.base.spreadsheet_text import escape_formula, unescape_formula
from core.column_types import TYPES
from core.column_types.base import NO_REFERENCES, Draft
from core.imports.plan_types import ColumnPlan
from core.imports.read import FileColumn

NUMBERS = st.from_regex(r"-?[0-9]{1,17}(\.[0-9]{0,4})?", fullmatch=True) | st.from_regex(
    r"[0-9.,' -]{1,9}", fullmatch=True
)
TEXTS = st.text(max_size=30) | st.text("ab '\"\\=-+@\t\n;", max_size=8)


@pytest.mark.parametrize("name", ["text", "long_text", "number", "money", "percent"])
@given(text=TEXTS | NUMBERS, number_format=st.sampled_from([None, "1,234.56", "1.234,56"]))
def test_a_short_cut_reads_as_the_type_does(name: str, text: str, number_format: str | None) -> None:
    takes = {rule.key for rule in TYPES[name].takes}
    rules = {"number_format": number_format} if number_format and "number_format" in takes else {}
    draft = Draft(name, rules)
    column = FileColumn(ColumnPlan(0, "x"), "7", draft, {})
    try:
        value = TYPES[name].parse(unescape_formula(text), draft, NO_REFERENCES)
    except Invalid:
        assert column[text] == ""
        assert text in column.bad
        return
    assert column[text].replace("\\\\", "\\") == ("" if value is None else f',"7":{dumps(value)}')


@given(TEXTS)
def test_the_apostrophe_before_a_formula_comes_off_again(text: str) -> None:
    assert unescape_formula(escape_formula(text)) == text


@pytest.mark.parametrize("text", ["=1+1", "+49 151", "-x", "@SUM(A1)", "\tx", "\rx", "'=1", "''-2+3", "＝1"])
def test_what_a_spreadsheet_would_run_is_shielded(text: str) -> None:
    assert escape_formula(text) == f"'{text}"


@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_a_spreadsheet_that_separates_by_semicolon_or_tab_finds_no_formula_in_our_file(texts: list[str]) -> None:
    file = io.StringIO()
    csv.writer(file).writerow(["x", *map(escape_formula, texts)])
    cells = re.split("[;\t\r\n]", file.getvalue())
    assert [cell for cell in cells if re.match("[\"']*[=+@-]", cell) and not cell.startswith("'")] == []


def test_a_formula_behind_a_semicolon_a_tab_or_in_a_new_line_is_shielded() -> None:
    assert escape_formula("Acme;=1+1") == "Acme;'=1+1"
    assert escape_formula('Acme;"=1+1;b') == "Acme;'\"=1+1;b"
    assert escape_formula("Acme\t@SUM(A1)\n-2+3") == "Acme\t'@SUM(A1)\n'-2+3"


@pytest.mark.parametrize("text", ["-5", "-0.25", "12", "a=b", "a; b", "a\n\nb\r\nc", "'quoted'", "", "−5"])
def test_numbers_and_plain_texts_stay_as_they_are(text: str) -> None:
    assert escape_formula(text) == text
