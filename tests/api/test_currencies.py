"""Currencies from outside: none is dropped by a column that cannot keep it, and money has one from the start."""

from typing import Any

import pytest

from tests.api.conftest import AMOUNT, DEAL, People, Person


def make(owner: Person, name: str, kind: str, **rules: Any) -> dict[str, Any]:
    answer = owner.ask("POST", "/sheets/{sheet}/columns", json={"name": name, "type": kind, "rules": rules})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@pytest.mark.parametrize("text", ["$100", "€100", "100 JPY"])
def test_an_amount_with_a_currency_is_refused_by_a_column_of_numbers_and_nothing_is_written(
    people: People, text: str
) -> None:
    ann = people("Ann")
    number = make(ann, "Size", "number")["id"]
    (row,) = ann.add({DEAL: "Acme"})
    answer = ann.change(edits=[{"row": row, "column": number, "text": text}])
    assert (answer.status_code, ann.cell(row, number)) == (422, None)
    assert "Leave out" in answer.text
    assert "type Money" in answer.text


def test_a_column_of_money_takes_amounts_of_its_own_currency_alone(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Acme"})
    answers = [ann.change(edits=[{"row": row, "column": AMOUNT, "text": text}]) for text in ("$100", "100 JPY", "€100")]
    assert [answer.status_code for answer in answers] == [422, 422, 200]
    assert ann.cell(row, AMOUNT) == "100"


def test_a_column_of_money_that_names_no_currency_gets_the_workspaces(people: People) -> None:
    ann, ada = people("Ann"), people("Ada")
    assert make(ann, "Cost", "money")["rules"] == {"currency": "EUR"}
    assert ada.ask("PUT", "/admin/currency", json={"currency": "usd"}).json() == {"currency": "USD"}
    assert make(ann, "Fee", "money", decimals=0)["rules"] == {"currency": "USD", "decimals": 0}
    assert make(ann, "Tax", "money", currency="JPY")["rules"] == {"currency": "JPY"}
    assert ada.ask("PUT", "/admin/currency", json={"currency": "Taler"}).status_code == 422


def test_a_column_of_money_does_not_lose_its_currency(people: People) -> None:
    ann = people("Ann")
    answer = ann.ask("PATCH", f"/sheets/{{sheet}}/columns/{AMOUNT}", json={"rules": {"decimals": 0}})
    assert (answer.status_code, "needs a currency, such as EUR" in answer.text) == (422, True)
