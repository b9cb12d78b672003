"""Proposals: a column's type by all of its texts; what is not proven is text or a question, never a guess."""

import csv
from pathlib import Path

import pytest

from core.column_types import column_type
from core.column_types.base import NO_REFERENCES, Draft, PeopleDirectory, References
from core.imports.type_guess import Proposal, propose_type

MAVEN = Path(__file__).parents[4] / "shared" / "data" / "maven_crm"
ANN_AND_BEN = References(lambda: PeopleDirectory({"1": "Ann", "2": "Ben"}))


def proposed(texts: list[str], name: str = "") -> tuple[str, dict[str, object], tuple[str, ...]]:
    found = propose_type(texts, name)
    return found.type, found.rules, found.undecided


@pytest.mark.parametrize(
    ("texts", "name", "proposal"),
    [
        (["1", "2", "1000"], "", ("number", {}, ())),
        (["1.5", "1234"], "", ("number", {"number_format": "1,234.56"}, ())),
        (["1.234", "1.5"], "", ("number", {"number_format": "1,234.56"}, ())),
        (["1.234", "1.234.567"], "", ("number", {"number_format": "1.234,56"}, ())),
        (["1.234", "2.500"], "", ("number", {}, ("number_format",))),
        (["1 054,00", "50,00"], "close_value", ("money", {"number_format": "1.234,56"}, ())),
        (["$5", "$1,000.50"], "", ("money", {"currency": "USD", "number_format": "1,234.56"}, ())),
        (["5 kr", "6 kr"], "", ("money", {}, ())),
        (["10 %", "12 %"], "", ("percent", {}, ())),
        (["31/12/2026", "01/02/2026"], "", ("date", {"date_order": "day first"}, ())),
        (["12/31/2026", "01/02/2026"], "", ("date", {"date_order": "month first"}, ())),
        (["03/04/2026", "05/06/2026"], "", ("date", {}, ("date_order",))),
        (["31.12.2026", "2026-01-01", "3 Mar 2026"], "", ("date", {}, ())),
        (["2026-01-01T10:00:00Z", "2026-01-01 11:00"], "", ("datetime", {}, ())),
        (["yes", "no", "", "yes"], "", ("checkbox", {}, ())),
        (["0", "1", "1"], "", ("number", {}, ())),
        (["a@b.de", "c@d.de"], "", ("email", {}, ())),
        (["https://a.de", "b.de/x"], "", ("link", {}, ())),
        (["+49 89 123456", "(555) 123-4567"], "", ("phone", {}, ())),
        (["555-1234", "555-9999"], "Phone", ("phone", {}, ())),
        (["one", "two\nlines"], "", ("long_text", {}, ())),
        ([], "", ("text", {}, ())),
        (["", "  "], "", ("text", {}, ())),
    ],
)
def test_a_type_is_proposed_with_the_rules_that_the_texts_prove(
    texts: list[str], name: str, proposal: tuple[str, dict[str, object], tuple[str, ...]]
) -> None:
    assert proposed(texts, name) == proposal


@pytest.mark.parametrize(
    "texts",
    [
        *(
            ["vmx-15", "vmx-16"],
            ["Account 2667", "Account 2668"],
            ["00123", "00456"],
            ["4003920012345", "4003920012346"],
        ),
        *(["1234567890123456"], ["$5", "€5"], ["5 %", "6"], ["26-12-31", "26-11-30"], ["TOP 10", "TOP 20"], ["a\0b"]),
        *(
            ["12-31", "01-02"],
            ["1.2.3", "1.2.4"],
            ["03/04/2026", "12/31/2026", "31/12/2026"],
            ["12 apples", "13 pears"],
        ),
    ],
)
def test_what_only_looks_like_a_date_or_an_amount_stays_text(texts: list[str]) -> None:
    assert proposed(texts)[0] == "text"


@pytest.mark.parametrize("name", ["Deal ID", "dealId", "ZIP", "Artikel-Nr"])
def test_digits_under_the_name_of_a_code_stay_text(name: str) -> None:
    assert proposed(["123", "456"], name)[0] == "text"


def test_few_labels_written_often_are_options_in_their_order() -> None:
    found = propose_type(["Small", "Large", "small", "Large", "Small", "Large"])
    assert (found.type, [(option.id, option.label) for option in found.options]) == (
        "choice",
        [("o1", "Small"), ("o2", "Large")],
    )
    assert propose_type([f"name {number}" for number in range(21)] * 100).type == "text"
    assert propose_type(["Small", "Large"]).type == "text"


def test_labels_that_say_won_or_lost_make_stages() -> None:
    found = propose_type(["Closed Won", "Closed Lost", "Talking"] * 3)
    assert [(option.label, option.kind, option.probability) for option in found.options] == [
        ("Talking", "open", None),
        ("Closed Won", "won", 100),
        ("Closed Lost", "lost", 0),
    ]


def test_names_of_people_are_people() -> None:
    assert propose_type(["Ann", "Ben", "Ann"], references=ANN_AND_BEN).type == "person"
    assert propose_type(["1", "2"], references=ANN_AND_BEN).type == "number"


def test_a_few_texts_that_do_not_fit_are_shown_with_the_reason_and_hidden_in_no_other_type() -> None:
    texts = [str(number) for number in range(99)] + ["n/a"]
    found = propose_type(texts)
    assert found.type == "number"
    fit = column_type(found.type).fits(texts, Draft(found.type, found.rules), NO_REFERENCES)
    assert (fit.fitting, fit.misfits) == (99, [("n/a", "“n/a” is not a number.")])


@pytest.mark.skipif(not MAVEN.exists(), reason="the Maven files are not here")
def test_the_maven_file_and_its_french_twin_are_proposed_alike() -> None:
    english = columns(MAVEN / "sales_pipeline.csv", ",", 0)
    french = columns(MAVEN / "sales_pipeline_fr.csv", ";", 1)
    for name, texts in english.items():
        one, other = (propose_type(column, name) for column in (texts, french[name]))
        assert one.type == other.type
        assert one.options == other.options
        assert values(one, texts) == values(other, french[name])


def columns(path: Path, delimiter: str, skipped: int) -> dict[str, list[str]]:
    lines = path.read_text(encoding="utf-8-sig").splitlines()[skipped:]
    header, *rows = csv.reader(lines, delimiter=delimiter)
    return dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))


def values(proposal: Proposal, texts: list[str]) -> list[object]:
    read = column_type(proposal.type).parser(Draft(proposal.type, proposal.rules, proposal.options), NO_REFERENCES)
    return [read(text) for text in texts]


def test_dates_with_a_year_of_two_digits_are_dates() -> None:
    assert propose_type(["31.12.26", "1.2.26"]).type == "date"
    assert propose_type(["31/12/26", "1/2/26"]).rules == {"date_order": "day first"}
    assert propose_type(["1/2/26", "3/4/26"]).undecided == ("date_order",)
