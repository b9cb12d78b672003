"""What every column type promises, a newcomer included without being named here."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import Invalid
from core.base.exact_json import dumps, loads_stored, loads_wire, to_wire
from core.column_types import TYPES, column_type
from core.column_types.base import ColumnType
from core.column_types.cell_sql import cell_of
from core.column_types.rules import Rule
from db.tables.sheets import Row
from tests.core.column_types import OPTIONS, POOL, REFERENCES, column

every_type = pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
typed = st.one_of(
    st.sampled_from(POOL),
    st.text(max_size=30),
    st.tuples(st.sampled_from(POOL), st.text(max_size=3), st.sampled_from(POOL)).map("".join),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9).map(str),
    st.dates().map(str),
    st.datetimes().map(str),
)


def here(kind: ColumnType[Any]) -> dict[str, Any]:
    return {"column": column(kind.name), "references": REFERENCES}


def outcome(parse: Callable[[str], Any], text: str) -> Any:
    """The value, or the reason why there is none."""
    try:
        return parse(text)
    except Invalid as refused:
        return refused.message


def read(kind: ColumnType[Any], text: str) -> Any:
    try:
        return kind.parse(text, column(kind.name), REFERENCES)
    except Invalid:
        return None


@every_type
def test_a_type_says_what_it_is(kind: ColumnType[Any]) -> None:
    assert kind.label
    assert kind.icon
    assert kind.editor in {
        *("text", "long_text", "number", "choice", "choices", "date", "datetime", "checkbox", "link", "person")
    }
    assert all(isinstance(rule, Rule) and rule.label for rule in kind.takes)
    assert {"is_empty", "is_not_empty"} < set(kind.filters)
    assert column_type(kind.name) is kind


@every_type
@given(text=typed)
def test_the_text_of_a_value_is_read_back_as_the_value(kind: ColumnType[Any], text: str) -> None:
    value = read(kind, text)
    if value is not None:
        shown = kind.text(value, column(kind.name), REFERENCES)
        assert kind.parse(shown, column(kind.name), REFERENCES) == value
        assert isinstance(value, kind.value_class)


@every_type
@given(text=typed)
def test_what_is_typed_and_what_a_program_sends_obey_the_same_rules(kind: ColumnType[Any], text: str) -> None:
    value = read(kind, text)
    assert kind.check(value, column(kind.name), REFERENCES) == value
    assert kind.check(to_wire(value), column(kind.name), REFERENCES) == value


@every_type
@given(text=typed)
def test_a_value_survives_the_way_through_json_exactly(kind: ColumnType[Any], text: str) -> None:
    value = read(kind, text)
    assert loads_stored(dumps({"1": value}))["1"] == value
    assert loads_wire(dumps({"1": value}))["1"] == to_wire(value)


@every_type
@given(text=typed)
def test_reading_in_bulk_gives_what_reading_one_by_one_gives(kind: ColumnType[Any], text: str) -> None:
    in_bulk = kind.parser(column(kind.name), REFERENCES)
    assert outcome(in_bulk, text) == outcome(in_bulk, text) == outcome(partial(kind.parse, **here(kind)), text)


@every_type
@given(text=typed, before=typed)
def test_what_is_read_without_the_value_before_is_read_the_same_with_it(
    kind: ColumnType[Any], text: str, before: str
) -> None:
    value, current = read(kind, text), read(kind, before)
    if value is not None:
        assert kind.parse(text, column(kind.name), REFERENCES, current) == value


@every_type
def test_writing_in_bulk_gives_what_writing_one_by_one_gives(kind: ColumnType[Any]) -> None:
    in_bulk = kind.writer(**here(kind))
    values = [value for value in (read(kind, text) for text in POOL) if value is not None]
    assert [in_bulk(value) for value in values * 2] == [kind.text(value, **here(kind)) for value in values * 2]


@every_type
def test_something_that_people_type_is_read(kind: ColumnType[Any]) -> None:
    assert [text for text in POOL if read(kind, text) is not None], "add a text that the new type reads to the pool"


@every_type
@pytest.mark.parametrize("empty", ["", "   ", "\t\n", "\u00a0", "\ufeff"])
def test_white_space_empties_a_cell(kind: ColumnType[Any], empty: str) -> None:
    assert kind.parse(empty, column(kind.name), REFERENCES) is None
    assert kind.check(None, column(kind.name), REFERENCES) is None
    assert kind.check(empty, column(kind.name), REFERENCES) is None


@every_type
@pytest.mark.parametrize(
    "unstorable", ["a\0b", "\ud800", "1\0", "x" * 1_000_001], ids=["NUL", "surrogate", "NUL in a number", "1 MB"]
)
def test_what_cannot_be_stored_is_refused(kind: ColumnType[Any], unstorable: str) -> None:
    with pytest.raises(Invalid):
        kind.parse(unstorable, column(kind.name), REFERENCES)
    with pytest.raises(Invalid):
        kind.check(unstorable, column(kind.name), REFERENCES)


@every_type
@pytest.mark.parametrize(
    "forged", [{"a": 1}, 0.1, [1], [["o1"]], b"x", Decimal("NaN"), Decimal("Infinity"), Decimal("1e400"), 10**15]
)
def test_a_value_of_the_wrong_json_type_is_refused(kind: ColumnType[Any], forged: Any) -> None:
    with pytest.raises(Invalid):
        kind.check(forged, column(kind.name), REFERENCES)


@every_type
def test_an_unknown_rule_an_unknown_filter_and_options_out_of_place_are_refused(kind: ColumnType[Any]) -> None:
    with pytest.raises(Invalid, match="no rule"):
        kind.check_rules({"__class__": True})
    with pytest.raises(Invalid, match="no filter"):
        kind.condition("; DROP", None, cell_of(Row.values, 1), column(kind.name), REFERENCES)
    if kind.name not in {"choice", "choices"}:
        with pytest.raises(Invalid, match="no options"):
            kind.check_options(OPTIONS)


@every_type
@pytest.mark.parametrize("bad", [{"a": 1}, [["o1"]], 0.5, True, "x" * 1_000_001, "\0", None])
def test_a_bad_filter_value_is_refused(kind: ColumnType[Any], bad: Any) -> None:
    for op, chosen in kind.filters.items():
        if chosen.takes != "none":
            with pytest.raises(Invalid):
                kind.condition(op, bad, cell_of(Row.values, 1), column(kind.name), REFERENCES)


def test_an_unknown_type_is_refused_naming_those_there_are() -> None:
    with pytest.raises(Invalid, match="money"):
        column_type("colour")
