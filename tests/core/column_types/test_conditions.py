"""Filters and ordering in the database: each does in SQL what its label says, and values are never SQL."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Text, cast, func, literal, select
from sqlalchemy import column as sql_column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from core.base.exact_json import Value, dumps
from core.column_types import TYPES, column_type
from core.column_types.base import NO_REFERENCES, Draft, PeopleDirectory, References
from core.column_types.cell_sql import cell_of
from db.folding import fold
from tests.core.column_types import OPTIONS, REFERENCES, column, parse

ROWS = sql_column("values", JSONB)
TEXTS = ["Acme", "acme ltd", "100 %", "a_b", "axb", r"back\slash", "Émile", None]
NUMBERS = [Decimal("1.5"), Decimal(-3), Decimal(10), Decimal("99999999999999.99"), None]
DAYS = ["2026-01-31", "2026-02-01", "2026-02-02", None]
INSTANTS = ["2026-06-30T21:59:59Z", "2026-06-30T22:00:00Z", "2026-07-01T21:59:59Z", "2026-07-01T22:00:00Z", None]


def source(values: list[Value | None]) -> Any:
    """Rows that hold these values in the column 7; None leaves the cell empty."""
    rows = [{"n": place} | ({} if value is None else {"7": value}) for place, value in enumerate(values)]
    return func.jsonb_array_elements(cast(literal(dumps(rows), Text), JSONB)).column_valued("values")


def found(session: Session, name: str, values: list[Any], op: str, wanted: Any = None, **rules: Any) -> list[Any]:
    """The values of those rows that the filter lets through."""
    rows = source(values)
    condition = column_type(name).condition(op, wanted, cell_of(rows, 7), column(name, **rules), REFERENCES)
    places = session.scalars(select(rows.op("->>")("n")).where(condition))
    return [values[int(place)] for place in places]


def ordered(session: Session, name: str, values: list[Any]) -> list[Any]:
    rows = source(values)
    order = column_type(name).sql(cell_of(rows, 7), column(name), REFERENCES)
    return [values[int(place)] for place in session.scalars(select(rows.op("->>")("n")).order_by(order.nulls_last()))]


@pytest.mark.parametrize(
    ("op", "wanted", "expected"),
    [
        ("contains", "ACME", ["Acme", "acme ltd"]),
        ("contains", "%", ["100 %"]),
        ("contains", "_", ["a_b"]),
        ("contains", "\\", [r"back\slash"]),
        ("contains", "emi", ["Émile"]),
        ("contains", "ÉMI", ["Émile"]),
        ("not_contains", "a", ["100 %", "Émile", None]),
        ("is", "ACME", ["Acme"]),
        ("is_not", "acme", [*TEXTS[1:]]),
        ("starts_with", "a", ["Acme", "acme ltd", "a_b", "axb"]),
        ("contains", "'; DROP TABLE rows; --", []),
        ("is_empty", None, [None]),
        ("is_not_empty", None, TEXTS[:-1]),
    ],
)
def test_text_is_filtered(session: Session, op: str, wanted: Any, expected: list[Any]) -> None:
    assert found(session, "text", TEXTS, op, wanted) == expected


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text("aAbé%_\\'\" \n", min_size=1, max_size=6), max_size=8),
    wanted=st.text("aAbé%_\\'\"", min_size=1, max_size=2),
)
def test_a_text_filter_finds_what_python_finds(session: Session, texts: list[str], wanted: str) -> None:
    here = [text for text in (parse("text", text) for text in texts) if text]
    assert found(session, "text", here, "contains", wanted) == [text for text in here if fold(wanted) in fold(text)]
    starting = [text for text in here if fold(text).startswith(fold(wanted))]
    assert found(session, "text", here, "starts_with", wanted) == starting


@pytest.mark.parametrize(
    ("op", "wanted", "expected"),
    [
        ("eq", "1.50", [Decimal("1.5")]),
        ("ne", 10, [NUMBERS[0], NUMBERS[1], NUMBERS[3], None]),
        ("lt", Decimal("1.5"), [Decimal(-3)]),
        ("lte", "1,5", [Decimal("1.5"), Decimal(-3)]),
        ("gt", "99999999999999.98", [NUMBERS[3]]),
        ("gte", "10", [Decimal(10), NUMBERS[3]]),
        ("between", ["-3", 10], NUMBERS[:3]),
        ("is_empty", None, [None]),
    ],
)
def test_numbers_are_filtered_exactly(session: Session, op: str, wanted: Any, expected: list[Any]) -> None:
    assert found(session, "money", NUMBERS, op, wanted) == expected


@pytest.mark.parametrize(
    ("op", "wanted", "expected"),
    [
        ("on", "01.02.2026", DAYS[1:2]),
        ("before", "2026-02-01", DAYS[:1]),
        ("after", "2026-02-01", DAYS[2:3]),
        ("on_or_before", "2026-02-01", DAYS[:2]),
        ("on_or_after", "2026-02-01", DAYS[1:3]),
        ("between", ["2026-01-31", "2026-02-01"], DAYS[:2]),
        ("is_not_empty", None, DAYS[:3]),
    ],
)
def test_dates_are_filtered(session: Session, op: str, wanted: Any, expected: list[Any]) -> None:
    assert found(session, "date", DAYS, op, wanted) == expected


@pytest.mark.parametrize(
    ("op", "wanted", "expected"),
    [
        ("on", "2026-07-01", INSTANTS[1:3]),
        ("before", "2026-07-01", INSTANTS[:1]),
        ("after", "2026-07-01", INSTANTS[3:4]),
        ("between", ["2026-06-30", "2026-07-01"], INSTANTS[:3]),
        ("after", "2026-06-30T22:00:00Z", INSTANTS[2:4]),
        ("on_or_after", "2026-07-01 00:00", INSTANTS[1:4]),
    ],
)
def test_a_day_of_instants_is_the_day_of_the_columns_time_zone(
    session: Session, op: str, wanted: Any, expected: list[Any]
) -> None:
    assert found(session, "datetime", INSTANTS, op, wanted, time_zone="Europe/Berlin") == expected


@pytest.mark.parametrize(
    ("name", "op", "wanted", "expected"),
    [
        ("choice", "is_any_of", ["o1", "o3"], ["o1", "o3"]),
        ("choice", "is_any_of", [], []),
        ("choice", "is_none_of", ["o1"], ["o2", "o3", None]),
        ("choice", "is_none_of", [], ["o1", "o2", "o3", None]),
        ("person", "is_any_of", ["1"], ["1"]),
        ("person", "is_none_of", ["1"], ["3", "99", None]),
        ("choices", "has_any_of", ["o2", "o3"], [["o1", "o2"], ["o3"]]),
        ("choices", "has_all_of", ["o1", "o2"], [["o1", "o2"]]),
        ("choices", "has_none_of", ["o2", "o3"], [["o1"], None]),
        ("checkbox", "is_true", None, [True]),
        ("checkbox", "is_false", None, [False, None]),
    ],
)
def test_what_is_chosen_is_filtered(session: Session, name: str, op: str, wanted: Any, expected: list[Any]) -> None:
    values = {
        "choice": ["o1", "o2", "o3", None],
        "person": ["1", "3", "99", None],
        "choices": [["o1", "o2"], ["o1"], ["o3"], None],
        "checkbox": [True, False, None],
    }
    assert found(session, name, values[name], op, wanted) == expected


@pytest.mark.parametrize(
    ("name", "sorted_values"),
    [
        ("text", ["a", "B", "Emil", "Émile", "emma", "z", None]),
        ("number", [Decimal(-1), Decimal("9.5"), Decimal(10), None]),
        ("date", ["2025-12-31", "2026-01-01", None]),
        ("choice", ["o1", "o2", "o3", "o5", None]),
        ("choices", [["o1", "o5"], ["o2"], None]),
        ("person", ["1", "2", "3", None]),
        ("checkbox", [False, True, None]),
    ],
)
def test_rows_are_ordered_as_people_expect(session: Session, name: str, sorted_values: list[Any]) -> None:
    assert ordered(session, name, sorted_values[::-1]) == sorted_values


def test_the_order_of_choices_is_that_of_the_options_and_of_people_that_of_names(session: Session) -> None:
    rows = source(["o1", "o2"])
    turned = Draft("choice", {}, OPTIONS[::-1])
    order = column_type("choice").sql(cell_of(rows, 7), turned, NO_REFERENCES)
    assert session.scalars(select(rows.op("->>")("7")).order_by(order)).all() == ["o2", "o1"]
    rows = source(["5", "12"])
    order = column_type("person").sql(
        cell_of(rows, 7), column("person"), References(lambda: PeopleDirectory({"5": "Zoe", "12": "Ann"}))
    )
    assert session.scalars(select(rows.op("->>")("7")).order_by(order)).all() == ["12", "5"]


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_every_filter_of_every_type_is_sql_that_the_database_takes(session: Session, kind: Any) -> None:
    samples = {"choice": "o1", "choices": "o1", "person": "1", "date": "2026-01-01", "datetime": "2026-01-01"}
    one = samples.get(kind.name, "5")
    wanted = {"none": None, "one": one, "two": [one, one], "many": [one]}
    for op, chosen in kind.filters.items():
        assert isinstance(found(session, kind.name, [None], op, wanted[chosen.takes]), list)
    assert ordered(session, kind.name, [None]) == [None]


def test_the_key_stands_in_the_sql_so_that_an_index_can_serve_it() -> None:
    assert "values -> '7'" in str(cell_of(ROWS, 7).json)
    with pytest.raises(ValueError):
        cell_of(ROWS, "7'; DROP")  # type: ignore[arg-type]
