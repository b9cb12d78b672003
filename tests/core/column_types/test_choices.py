"""Choices, people and checkboxes: typed by what people call them, kept by what stays the same."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import Invalid
from core.column_types import column_type
from core.column_types.base import NO_REFERENCES, Draft, Option
from tests.core.column_types import OPTIONS, REFERENCES, check, column, parse, refusal

LIVE = [option.id for option in OPTIONS if not option.retired]
labels = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)


@pytest.mark.parametrize("text", ["Red", "red", " RED ", "R\u200eed"])
def test_an_option_is_typed_by_its_label_however_it_is_cased(text: str) -> None:
    assert parse("choice", text) == "o1"


def test_a_label_is_found_however_its_accents_are_composed() -> None:
    assert parse("choice", "a;be\u0301") == "o5"


def test_an_unknown_label_is_refused_naming_those_there_are() -> None:
    assert "There are: Red, Blue, dark" in refusal("choice", "green")
    with pytest.raises(Invalid, match="It has none"):
        column_type("choice").parse("x", Draft("choice", {}), NO_REFERENCES)


def test_a_retired_option_stays_where_it_is_and_cannot_be_chosen_anew() -> None:
    kind, of = column_type("choice"), column("choice")
    assert "retired" in refusal("choice", "old")
    assert kind.text("o3", of, NO_REFERENCES) == "Old"
    assert kind.parse("Old", of, NO_REFERENCES, "o3") == kind.check("o3", of, NO_REFERENCES, "o3") == "o3"
    several = column_type("choices")
    assert several.parse("Old, Red", column("choices"), NO_REFERENCES, ["o3"]) == ["o1", "o3"]
    with pytest.raises(Invalid, match="retired"):
        several.check(["o3"], column("choices"), NO_REFERENCES, ["o1"])


def test_a_live_option_is_preferred_to_a_retired_one_of_the_same_label() -> None:
    options = [Option("o1", "Won", retired=True), Option("o2", "won")]
    assert column_type("choice").parse("WON", Draft("choice", {}, options), NO_REFERENCES, "o1") == "o2"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        *(("Red", ["o1"]), ('red; "Blue, dark"', ["o1", "o2"]), ('5" pipe\nRed', ["o1", "o4"]), ("Red,,Red,", ["o1"])),
        *(('"5"" pipe" , "a;bé"', ["o4", "o5"]), (", ;", None)),
    ],
)
def test_several_choices_are_listed_as_in_csv_and_kept_once_in_the_order_of_the_options(text: str, ids: Any) -> None:
    assert parse("choices", text) == ids


def test_a_list_with_an_open_quotation_mark_is_refused() -> None:
    assert "quotation mark" in refusal("choices", 'Red, "Blue')


@given(names=st.lists(labels, min_size=1, max_size=6), data=st.data())
def test_any_labels_that_a_column_takes_are_read_back_from_their_list(names: list[str], data: st.DataObject) -> None:
    kind = column_type("choices")
    try:
        options = kind.check_options([Option(f"o{number}", name) for number, name in enumerate(names, 1)])
    except Invalid:
        return
    of = Draft("choices", {}, options)
    value = data.draw(st.lists(st.sampled_from([option.id for option in options]), unique=True, min_size=1))
    stored = kind.check(value, of, NO_REFERENCES)
    assert kind.parse(kind.text(stored, of, NO_REFERENCES), of, NO_REFERENCES) == stored
    assert column_type("choice").parse(options[0].label, Draft("choice", {}, options), NO_REFERENCES) == "o1"


def test_rows_never_share_a_list() -> None:
    read = column_type("choices").parser(column("choices"), NO_REFERENCES)
    first = read("Red")
    first.append("o2")
    assert read("Red") == ["o1"]


@pytest.mark.parametrize("value", ["o9", "Red", "", "o1; DROP"])
def test_a_program_names_options_by_id_only(value: str) -> None:
    assert check("choice", "o1") == "o1"
    if value:
        with pytest.raises(Invalid):
            check("choice", value)
    with pytest.raises(Invalid):
        check("choices", ["o1", value])


@pytest.mark.parametrize(
    "bad",
    [
        *({"label": ""}, {"label": "x" * 201}, {"label": "RED"}, {"id": "o2"}, {"id": "__class__"}),
        *({"color": "url(http://x)"}, {"probability": 101}, {"probability": True}, {"kind": "maybe"}),
    ],
)
def test_a_bad_option_is_refused(bad: dict[str, Any]) -> None:
    wanted = replace(Option("o9", "New"), **bad)
    with pytest.raises(Invalid):
        column_type("choice").check_options([*OPTIONS, wanted])


def test_an_option_is_kept_clean_with_a_colour_and_comes_back_from_json_data() -> None:
    (option,) = column_type("choice").check_options([Option("o1", "  Closed\n won ", probability=100, kind="won")])
    assert option.label == "Closed won"
    assert option.color.startswith("#")
    assert Option.read(option.as_stored() | {"unknown": 1}) == option


@pytest.mark.parametrize(
    ("text", "person"), [("ann lee", "1"), ("1", "1"), ("ANN@example.com", "1"), ("Ben Ray (2)", "2")]
)
def test_a_person_is_typed_by_name_e_mail_or_id(text: str, person: str) -> None:
    assert parse("person", text) == person


def test_an_ambiguous_or_unknown_person_is_refused() -> None:
    assert "Several people" in refusal("person", "Ben Ray")
    assert "not a person" in refusal("person", "Zoe")
    with pytest.raises(Invalid, match="not a person"):
        check("person", "99")


def test_people_of_one_name_are_shown_apart_and_those_who_left_stay() -> None:
    kind, of = column_type("person"), column("person")
    assert [kind.text(person, of, REFERENCES) for person in ("1", "2", "3")] == [
        "Ann Lee",
        "Ben Ray (2)",
        "ben ray (3)",
    ]
    assert kind.parse(kind.text("99", of, REFERENCES), of, REFERENCES, "99") == "99"


@pytest.mark.parametrize(
    ("words", "ticked"),
    [("yes Y true x 1 ✓ on ja Oui SÍ", True), ("no N false 0 off nein Non ☐", False)],
)
def test_a_checkbox_is_ticked_in_many_words(words: str, ticked: bool) -> None:
    assert {parse("checkbox", word) for word in words.split()} == {ticked}
    assert "neither yes nor no" in refusal("checkbox", "maybe")


@pytest.mark.parametrize("value", ["true", 1, 0, []])
def test_a_program_ticks_a_checkbox_with_true_or_false(value: object) -> None:
    with pytest.raises(Invalid):
        check("checkbox", value)
