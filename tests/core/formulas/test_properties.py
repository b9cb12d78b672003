"""Formulas: SQL and a plain Python reference agree on random formulas and rows, and no text ever reaches SQL as SQL."""

import random
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Boolean, Date, Numeric, String, case, cast, column, literal, select, values
from sqlalchemy.orm import Session

from core.formulas.compiler import FUNCTIONS, compiled
from core.formulas.expressions import Expression, Kind, as_text
from core.formulas.functions import Moment
from core.formulas.syntax import Column, FormulaError, parsed
from tests.core.formulas import reference
from tests.support.examples import examples

MOMENT = Moment(reference.TODAY, "UTC")
COLUMNS = {
    "n1": (Kind.NUMBER, Numeric()),
    "n2": (Kind.NUMBER, Numeric()),
    "t1": (Kind.TEXT, String()),
    "t2": (Kind.TEXT, String()),
    "d1": (Kind.DAY, Date()),
    "d2": (Kind.DAY, Date()),
    "b1": (Kind.CONDITION, Boolean()),
}
NUMBERS = st.decimals(min_value=-10_000, max_value=10_000, places=2) | st.integers(-3, 3).map(Decimal)
TEXTS = st.text("aAbBéß -12", max_size=6).map(str.strip)
DAYS = st.dates(date(1999, 1, 1), date(2040, 12, 31))
ROW = st.fixed_dictionaries(
    {
        "n1": st.none() | NUMBERS,
        "n2": st.none() | NUMBERS,
        "t1": st.none() | TEXTS.filter(bool),
        "t2": st.none() | TEXTS.filter(bool),
        "d1": st.none() | DAYS,
        "d2": st.none() | DAYS,
        "b1": st.booleans(),
    }
)


def call(name: str, *arguments: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*arguments).map(lambda texts: f"{name}({', '.join(texts)})")


def infix(left: st.SearchStrategy[str], signs: str, right: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(left, st.sampled_from(signs.split()), right).map(lambda parts: f"({' '.join(parts)})")


def formulas(depth: int) -> dict[Kind, st.SearchStrategy[str]]:
    """Formulas of each kind, no deeper than this."""
    count = st.integers(-1, 4).map(str)
    number = st.sampled_from(["{n1}", "{n2}", "0", "1.5", "100", "BLANK()"])
    text = st.sampled_from(["{t1}", "{t2}", '"a"', '"éB"', '""'])
    day = st.sampled_from(["{d1}", "{d2}", "TODAY()"])
    condition = st.sampled_from(["{b1}", "TRUE", "FALSE"])
    for _ in range(depth):
        n, t, d, c = number, text, day, condition
        any_value = n | t | d | c
        number = n | st.one_of(
            infix(n, "+ - * /", n),
            infix(d, "-", d),
            n.map(lambda inner: f"-{inner}"),
            n.map(lambda inner: f"({inner})%"),
            st.tuples(n, st.integers(-3, 5)).map(lambda pair: f"POWER({pair[0]}, {pair[1]})"),
            *(call(name, n, count) for name in ("ROUND", "ROUNDUP", "ROUNDDOWN")),
            *(call(name, n) for name in ("INT", "ABS", "SIGN", "CEILING")),
            *(call(name, n, n) for name in ("SUM", "AVERAGE", "MIN", "MAX", "MOD", "IFERROR")),
            *(call(name, d) for name in ("YEAR", "MONTH", "DAY", "QUARTER", "WEEKDAY", "ISOWEEKNUM")),
            call("DAYS", d, d),
            call("WORKDAYS", d, d),
            call("LEN", t),
            call("FIND", t, t),
            call("IF", c, n, n),
        )
        text = t | st.one_of(
            infix(any_value, "&", any_value),
            call("LEFT", t, count),
            call("RIGHT", t, count),
            call("MID", t, count, count),
            call("TRIM", t),
            call("TEXT", any_value),
            call("SUBSTITUTE", t, t, t),
            call("IF", c, t),
            call("SWITCH", n, n, t, n, t, t),
            call("IFERROR", t, t),
        )
        day = d | st.one_of(
            infix(d, "+ -", n),
            call("EDATE", d, n),
            call("MIN", d, d),
            call("IF", c, d, d),
            call("IFS", c, d, c, d),
        )
        condition = c | st.one_of(
            infix(n, "= <> < <= > >=", n),
            infix(t, "= <> < <= > >=", t),
            infix(d, "= <> < <= > >=", d),
            infix(c, "= <>", c),
            call("CONTAINS", t, t),
            call("STARTSWITH", t, t),
            call("EXACT", t, t),
            call("AND", c, c),
            call("OR", c, c),
            call("NOT", c),
            call("ISBLANK", any_value),
            call("ISERROR", any_value),
        )
    return {Kind.NUMBER: number, Kind.TEXT: text, Kind.DAY: day, Kind.CONDITION: condition}


def cell(place: Column) -> Expression:
    kind, sql_type = COLUMNS[place.name]
    return Expression(kind, cast(column(place.name), sql_type))


def by_reference(formula: str, row: dict[str, Any]) -> tuple[str, str]:
    try:
        return "value", reference.text(reference.evaluate(parsed(formula), row))
    except reference.CellError:
        return "error", ""


def by_sql(session: Session, formula: str, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    expression = compiled(parsed(formula), cell, MOMENT)
    shown = as_text(expression)
    error = literal(None, String()) if shown.error is None else shown.error
    table = values(
        *(column(name, sql_type) for name, (_, sql_type) in COLUMNS.items()), column("place", Numeric()), name="cells"
    ).data([(*(row[name] for name in COLUMNS), place) for place, row in enumerate(rows)])
    statement = select(
        case((error.is_(None), shown.value)), error, expression.final.is_(None), expression.value.is_(None)
    ).select_from(table)
    found = []
    with session.begin_nested():
        lines = session.execute(statement.order_by(column("place"))).all()
    for value, reason, final_is_null, value_is_null in lines:
        if reason is not None and expression.is_strict:
            assert value_is_null
            assert final_is_null
        found.append(("error", "") if reason is not None else ("value", value or ""))
    return found


@given(
    formula=st.deferred(lambda: st.one_of(*formulas(3).values())),
    rows=st.lists(ROW, min_size=1, max_size=4),
)
@settings(
    max_examples=examples(100, 2_000),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
def test_sql_and_the_reference_agree(session: Session, formula: str, rows: list[dict[str, Any]]) -> None:
    try:
        expression = compiled(parsed(formula), cell, MOMENT)
    except FormulaError as error:
        event(error.message)  # It is beyond a bound: every other random formula is valid.
        if "too complex" in error.message or "at most" in error.message:
            return
        raise
    assert expression.kind in set(Kind)
    assert by_sql(session, formula, rows) == [by_reference(formula, row) for row in rows]


HOSTILE = """
{n1} [t1] {d1} {nothing} " ' ; -- /* */ $$ \\ %s %(x)s :x ::text ( ) , + - * / ^ & = <> 1 1e999 0x1 é ☃ {{t1}} %
pg_sleep(10) __import__('os')
"""
PIECES = [*FUNCTIONS, *HOSTILE.split(), "\x00", "\ud800", "\n", "DROP TABLE rows", "'; DELETE FROM rows; --"]


def test_a_thousand_hostile_texts_are_refused_or_give_a_value(session: Session) -> None:
    chance = random.Random(46)
    row = {"n1": Decimal(1), "n2": None, "t1": "it's; --", "t2": None, "d1": None, "d2": None, "b1": True}
    refused = 0
    for number in range(1_000):
        pieces = chance.choices(PIECES, k=chance.randint(1, 8))
        text = ("" if number % 2 else " ").join(pieces)
        if number % 5 == 0:
            text = f'CONCAT({{t1}}, "{text.replace(chr(34), chr(34) * 2)}")'
        try:
            tree = parsed(text)
            compiled(tree, lambda place: cell(place) if place.name in COLUMNS else no_column(place), MOMENT)
        except FormulaError:
            refused += 1
            continue
        if "\x00" not in text and "\ud800" not in text:
            by_sql(session, text, [row])
    assert 700 < refused < 1_000


def no_column(place: Column) -> Expression:
    raise FormulaError("There is no such column.", place.at)


@pytest.mark.parametrize(
    "text",
    ["1+" * 5_000 + "1", "(" * 10_000, "{n1}*" * 399 + "1", "-" * 1_990 + "1", '"' + "a" * 10_000 + '"', "IF(" * 600],
)
def test_a_formula_beyond_the_bounds_is_refused_at_once(text: str) -> None:
    with pytest.raises(FormulaError) as refusal:
        compiled(parsed(text), cell, MOMENT)
    assert len(refusal.value.message) < 200


def test_nesting_that_would_make_huge_sql_is_refused() -> None:
    formula = "{n1}"
    for _ in range(9):
        formula = (
            f"IFERROR({formula}/{{n1}}, {formula}/{{n2}})" if len(formula) < 800 else f"IFERROR({formula}/{{n1}},1)"
        )
    with pytest.raises(FormulaError, match="too complex"):
        compiled(parsed(formula), cell, MOMENT)
