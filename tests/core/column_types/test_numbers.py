"""Numbers, money and percentages: what is read exactly, and what is refused because it could be two numbers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import Invalid
from core.base.exact_json import decimal_text
from core.column_types import column_type
from core.column_types.base import NO_REFERENCES
from core.column_types.number_text import COMMA, DOT
from tests.core.column_types import check, column, outcome, parse, refusal

storable = st.decimals(
    min_value=-(10**15) + 1, max_value=10**15 - 1, places=10, allow_nan=False, allow_infinity=False
) | st.integers(-(10**15) + 1, 10**15 - 1).map(Decimal)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("1.000,50", "1000.5"), ("1,000.50", "1000.5"), ("1\u202f234,50", "1234.5")),
        *(("1\u00a0234.5", "1234.5"), ("1'234.50", "1234.5"), ("1’234’567", "1234567"), ("12,34,567.89", "1234567.89")),
        *(("1.234.567", "1234567"), ("1234.567", "1234.567"), ("0.500", "0.5"), (".5", "0.5"), ("1,5", "1.5")),
        *(("(5)", "-5"), ("\u22125", "-5"), ("5-", "-5")),
        *(
            ("+7", "7"),
            ("007", "7"),
            ("1e3", "1000"),
        ),
        *(("-0", "0"), ("0,0", "0"), ("1.5E-3", "0.0015"), ("0.1", "0.1"), ("999999999999999.0123456789",) * 2),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, number: str) -> None:
    assert decimal_text(parse("number", text)) == number


@pytest.mark.parametrize(
    ("text", "currency", "number"),
    [
        *(("€ 3 500", "EUR", "3500"), ("($ 1,000.00)", "USD", "-1000"), ("-$5", "USD", "-5"), ("$-5", "CAD", "-5")),
        *(("5 EUR", "EUR", "5"), ("EUR 5", "EUR", "5"), ("R$ 5,25", "BRL", "5.25"), ("5 kr", "SEK", "5")),
        ("1 234,5 €", "EUR", "1234.5"),
    ],
)
def test_an_amount_in_the_currency_of_its_column_is_read(text: str, currency: str, number: str) -> None:
    assert decimal_text(parse("money", text, currency=currency)) == number


@pytest.mark.parametrize("text", ["$100", "€100", "100 JPY", "100 kr"])
def test_no_currency_is_dropped_silently(text: str) -> None:
    assert "takes plain numbers" in refusal("number", text)
    assert "Choose the column's currency first" in refusal("money", text)
    assert "not in GBP, the currency of this column" in refusal("money", text, currency="GBP")


@pytest.mark.parametrize("text", ["1,234", "1.234", "-1.234", "€ 1,234", "999.999"])
def test_text_that_could_be_two_numbers_is_refused_with_both_and_how_to_write_them(text: str) -> None:
    reason = refusal("money", text, currency="EUR")
    assert "can be read as" in reason
    for suggestion in reason.partition("Write it as ")[2].partition(",")[0].split(" or "):
        assert decimal_text(parse("money", suggestion, currency="EUR")) in reason


@pytest.mark.parametrize(
    ("text", "number"), [("1.234", "1234"), ("€ 1,234", "1234"), ("-1.2345", None), ("1.2", "1.2")]
)
def test_a_text_of_which_only_one_reading_fits_the_decimals_means_that_one(text: str, number: str | None) -> None:
    if number is None:
        assert "at most 2 decimals" in refusal("money", text, decimals=2, currency="EUR")
    else:
        assert decimal_text(parse("money", text, decimals=2, currency="EUR")) == number
        assert column_type("money").operand(
            text, column("money", decimals=2, currency="EUR"), NO_REFERENCES
        ) == Decimal(number)


@pytest.mark.parametrize("decimals", range(11))
def test_the_advice_about_an_ambiguous_number_is_accepted_by_the_column(decimals: int) -> None:
    read = outcome("money", "1.234", decimals=decimals)
    assert (read == 1234) == (decimals < 3)
    for advice in str(read).partition("Write it as ")[2].partition(",")[0].split(" or ") if decimals > 2 else []:
        assert decimal_text(parse("money", advice, decimals=decimals)) in read


@pytest.mark.parametrize(
    ("number_format", "text", "number"),
    [
        *((DOT, "1,234", "1234"), (DOT, "1.234", "1.234"), (COMMA, "1,234", "1.234"), (COMMA, "1.234", "1234")),
        *(
            (COMMA, "1.234,5", "1234.5"),
            (DOT, "1,234.5", "1234.5"),
            (COMMA, "1.5", "1.5"),
        ),
    ],
)
def test_the_number_format_of_the_column_decides(number_format: str, text: str, number: str) -> None:
    assert decimal_text(parse("number", text, number_format=number_format)) == number


@pytest.mark.parametrize(("number_format", "text"), [(DOT, "1.000,50"), (DOT, "1,5"), (COMMA, "1,000.50")])
def test_a_number_in_the_other_format_is_refused(number_format: str, text: str) -> None:
    assert number_format in refusal("number", text, number_format=number_format)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "NaN",
            "Infinity",
            "-inf",
            "1e400",
            "1e15",
            "1000000000000000",
            "0.12345678901",
            "1e-11",
            "hello",
            "5 apples",
        ),
        *(
            "31.12.2026",
            "1 2",
            "12 34",
            "1,23,45",
            "1.23.456",
            "--5",
            "(-5)",
            "$5€",
            "1,",
            "0x1F",
            "1_000",
            "10²",
            "१२",
        ),
        "9" * 99,
    ],
)
def test_what_is_no_exact_number_is_refused(text: str) -> None:
    assert refusal("number", text)


@given(number=storable, number_format=st.sampled_from(["auto", DOT, COMMA]))
def test_the_canonical_text_is_the_number_in_every_format(number: Decimal, number_format: str) -> None:
    value = check("number", number)
    shown = column_type("number").text(value, column("number"), NO_REFERENCES)
    assert parse("number", shown, number_format=number_format) == value == number


@given(
    number=storable | st.integers(-(10**6), 10**6).map(lambda thousandths: Decimal(thousandths) / 1000),
    kinds=st.tuples(*[st.sampled_from(["number", "money", "percent"])] * 2),
    formats=st.tuples(*[st.sampled_from(["auto", DOT, COMMA])] * 2),
    decimals=st.integers(0, 10),
)
def test_a_number_copied_to_another_column_is_the_same_number_or_refused(
    number: Decimal, kinds: tuple[str, str], formats: tuple[str, str], decimals: int
) -> None:
    copied = column_type(kinds[0]).text(number, column(kinds[0], number_format=formats[0]), NO_REFERENCES)
    read = outcome(kinds[1], copied, number_format=formats[1], decimals=decimals)
    assert read == number or "decimals" in str(read) or "whole numbers" in str(read)


@given(number=storable, number_format=st.sampled_from([DOT, COMMA]), group=st.sampled_from([None, " ", "\u202f", "'"]))
def test_a_grouped_number_is_read_exactly_in_its_format(number: Decimal, number_format: str, group: str | None) -> None:
    comma, dot = (",", ".") if number_format == DOT else (".", ",")
    written = f"{number:,.10f}".translate({ord(","): group or comma, ord("."): dot})
    assert parse("number", written, number_format=number_format) == number


@pytest.mark.parametrize(
    ("rules", "text", "reason"),
    [
        ({"min": "0"}, "-1", "smallest value here is 0"),
        ({"max": "99.5"}, "99.6", "largest value here is 99.5"),
        ({"decimals": 2}, "1.2345", "at most 2 decimals"),
        ({"decimals": 0}, "1.5", "whole numbers"),
    ],
)
def test_the_limits_of_a_column_hold_and_nothing_is_rounded(rules: dict[str, object], text: str, reason: str) -> None:
    assert reason in refusal("number", text, **rules)
    with pytest.raises(Invalid, match=reason.replace(".", "[.]")):
        check("number", Decimal(text), **rules)


def test_zeros_behind_the_last_decimal_are_not_counted() -> None:
    assert decimal_text(parse("money", "1234.50", decimals=2)) == "1234.5"
    assert decimal_text(parse("money", "5.0000", decimals=2)) == "5"


def test_money_in_another_currency_is_refused() -> None:
    assert "EUR" in refusal("money", "$ 500", currency="EUR")
    assert "EUR" in refusal("money", "500 CHF", currency="EUR")
    assert parse("money", "500 EUR", currency="EUR") == parse("money", "€500", currency="EUR") == 500
    assert parse("money", "$5", currency="CAD") == 5


def test_a_percentage_is_kept_as_its_figure_and_refused_where_plain_numbers_go() -> None:
    assert parse("percent", "25 %") == parse("percent", "25") == check("percent", 25) == 25
    assert "percentage" in refusal("number", "25 %")
    assert "percentage" in refusal("percent", "€ 5")


@pytest.mark.parametrize("value", [1, Decimal("1.0"), "1", "1.00", "1e0"])
def test_a_program_may_send_numbers_or_decimal_text(value: object) -> None:
    assert decimal_text(check("money", value)) == "1"


@pytest.mark.parametrize("value", [0.1, True, "1,5", "NaN", " 1", "1_0", "१", "1e99999999", Decimal("1e-11"), 10**15])
def test_a_program_may_not_send_floats_or_numbers_beyond_the_limits(value: object) -> None:
    with pytest.raises(Invalid):
        check("money", value)


def test_the_rules_of_a_number_are_kept_as_exact_text_and_must_make_sense() -> None:
    kind = column_type("money")
    given = {"max": Decimal("10.50"), "min": 0, "decimals": 2, "currency": "eur", "required": True, "unique": False}
    assert kind.check_rules(given) == {"max": "10.50", "min": "0", "decimals": 2, "currency": "EUR", "required": True}
    for bad in ({"min": 2, "max": 1}, {"decimals": 11}, {"decimals": -1}, {"currency": "XXQ"}, {"max": "NaN"}):
        with pytest.raises(Invalid):
            kind.check_rules(bad)
    with pytest.raises(Invalid):
        kind.check_rules({"number_format": "1 234"})
