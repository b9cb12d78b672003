"""Values: numbers stay exact on every way, because no float is ever made of them."""

from decimal import Decimal

import pytest

from core.base.exact_json import dumps, loads_input, loads_stored, loads_wire, to_wire


def test_numbers_are_written_digit_by_digit_and_travel_as_text() -> None:
    values = {
        "1": Decimal("0.1"),
        "2": Decimal("1E-9"),
        "3": Decimal("999999999999999.0123456789"),
        "4": ["o1"],
        "5": True,
    }
    text = dumps(values)
    assert text == '{"1":0.1,"2":0.000000001,"3":999999999999999.0123456789,"4":["o1"],"5":true}'
    assert loads_stored(text) == values
    assert loads_wire(text) == {key: to_wire(value) for key, value in values.items()}
    assert loads_wire(text)["2"] == "0.000000001"


def test_json_from_outside_gives_exact_numbers() -> None:
    assert loads_input("[0.1, 10, 1e2]") == [Decimal("0.1"), 10, Decimal("1e2")]


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "-Infinity", "1e99999999999999999999"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        loads_input(text)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object()])
def test_what_cannot_be_stored_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        dumps([value])
