"""Rules and options of a column: what a type takes, in words where it does not; options keep their ids for ever."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import Invalid
from core.column_types import TYPES, column_type
from core.column_types.base import Option
from core.sheets.column_rules import checked_options, checked_rules

CHOICE = column_type("choice")
BEFORE = [Option("o1", "Lead", "gray"), Option("o3", "Won", "green", probability=100, kind="won")]
# For each kind of rule a value that it takes and one that it does not.
GOOD: dict[str, Any] = {
    "flag": True,
    "whole": 3,
    "number": "12.5",
    "text": "x",
    "pattern": "[A-Z]+",
    "currency": "eur",
    "time_zone": "Europe/Berlin",
    "date": "2026-12-31",
    "datetime": "2026-12-31T10:00:00Z",
}
BAD: dict[str, Any] = {
    "flag": "yes",
    "whole": -1,
    "number": "NaN",
    "text": 5,
    "pattern": "[A-Z",
    "choice": "nothing such",
    "currency": "EURO",
    "time_zone": "../etc/passwd",
    "date": "30 February 2026",
    "datetime": "soon",
}
RULES = [(name, rule) for name, kind in TYPES.items() for rule in kind.takes]


def labels(options: list[Option]) -> list[tuple[str, str, bool]]:
    return [(option.id, option.label, option.retired) for option in options]


@pytest.mark.parametrize(("name", "rule"), RULES, ids=lambda part: getattr(part, "key", part))
def test_every_rule_of_every_type_takes_a_good_value_and_refuses_a_bad_one(name: str, rule: Any) -> None:
    good = rule.choices[0] if rule.choices else GOOD[rule.kind]
    assert rule.key in checked_rules(TYPES[name], {rule.key: good})
    with pytest.raises(Invalid) as refused:
        checked_rules(TYPES[name], {rule.key: BAD[rule.kind]})
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize("unset", [None, "", False])
def test_a_rule_that_is_not_set_is_left_out(unset: Any) -> None:
    assert checked_rules(column_type("money"), {"min": unset, "currency": "EUR"}) == {"currency": "EUR"}


def test_no_decimals_and_a_limit_of_zero_are_rules_too() -> None:
    assert checked_rules(column_type("number"), {"decimals": 0, "min": 0}) == {"decimals": 0, "min": "0"}


def test_a_rule_that_the_type_does_not_take_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match=r"Checkbox.*no rule “pattern”"):
        checked_rules(column_type("checkbox"), {"pattern": "x"})


def test_limits_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(Invalid, match="is above"):
        checked_rules(column_type("number"), {"min": "10", "max": "9.5"})


def test_new_options_get_the_next_ids_and_old_ones_keep_theirs() -> None:
    wanted = [Option("", "New"), BEFORE[1], Option("", "Newer"), BEFORE[0]]
    assert [option.id for option in checked_options(CHOICE, wanted, BEFORE)] == ["o4", "o3", "o5", "o1"]


def test_an_option_that_is_left_out_is_retired_and_its_id_is_never_given_again() -> None:
    kept = checked_options(CHOICE, [BEFORE[0]], BEFORE)
    assert labels(kept) == [("o1", "Lead", False), ("o3", "Won", True)]
    again = checked_options(CHOICE, [kept[0], Option("", "Won")], kept)
    assert labels(again) == [("o1", "Lead", False), ("o4", "Won", False), ("o3", "Won", True)]


@pytest.mark.parametrize("twin", ["lead", " LEAD ", "Le\u0061d"])
def test_two_options_of_one_name_are_refused_however_it_is_written(twin: str) -> None:
    with pytest.raises(Invalid, match="cannot be the same"):
        checked_options(CHOICE, [*BEFORE, Option("", twin)], BEFORE)


@pytest.mark.parametrize(
    "bad",
    [
        {"label": "  "},
        {"label": "x" * 201},
        {"label": "a\0b"},
        {"color": "url(javascript:alert(1))"},
        {"kind": "maybe"},
        {"probability": 101},
        {"probability": -1},
        {"probability": True},
    ],
)
def test_an_option_that_cannot_be_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        checked_options(CHOICE, [Option(**({"id": "", "label": "Fine"} | bad))])


def test_options_belong_to_choices_only() -> None:
    with pytest.raises(Invalid, match=r"Text.*has no options"):
        checked_options(column_type("text"), BEFORE)


def test_a_column_has_a_bounded_number_of_options() -> None:
    with pytest.raises(Invalid, match="at most"):
        checked_options(CHOICE, [Option("", f"Option {number}") for number in range(1001)])


@given(st.lists(st.lists(st.sampled_from("ABCDEFG"), unique=True, min_size=1, max_size=5), max_size=6))
def test_whatever_is_added_and_taken_out_an_id_means_one_label_for_ever(rounds: list[list[str]]) -> None:
    now: list[Option] = []
    meant: dict[str, str] = {}
    for wanted in rounds:
        live = {option.label: option for option in now if not option.retired}
        now = checked_options(CHOICE, [live.get(label, Option("", label)) for label in wanted], now)
        for option in now:
            assert meant.setdefault(option.id, option.label) == option.label
        assert [option.label for option in now if not option.retired] == wanted
