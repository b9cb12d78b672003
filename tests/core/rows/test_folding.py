"""Folding: one form of a text for unique columns, names, search, filters and sorting, in Python and in PostgreSQL."""

from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid
from core.column_types import column_type
from core.column_types.base import NO_REFERENCES, Draft, Option
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.trash import restore_rows
from core.edits.write import write
from core.rows.as_of import as_of
from core.rows.query import View
from core.rows.read import first_rows
from core.sheets.columns import change_column
from db.folding import fold, letters

DEAL, ACCOUNT = 1, 2
SAME = [("İzmir", "izmir"), ("ΟΔΟΣ", "οδός"), ("Łódź", "LODZ"), ("Straße", "STRASSE"), ("Ǆ", "dž"), ("Œuvre", "oeuvre")]


def added(session: Session, who: Actor, access: Access, *accounts: str) -> None:
    adds = tuple(
        NewRow(str(place), {DEAL: CellInput(f"Deal {place}"), ACCOUNT: CellInput(name)})
        for place, name in enumerate(accounts)
    )
    write(session, who, access.sheet.sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)


def accounts(session: Session, access: Access, **view: object) -> list[str]:
    found = first_rows(session, access, View.from_json(dict(view)), limit=100).rows
    return [row["values"][str(ACCOUNT)] for row in found]


def test_python_and_postgresql_fold_every_letter_alike(session: Session) -> None:
    written = [chr(code) for code in letters()]
    folded = session.execute(text("SELECT fold_text(w) FROM unnest(CAST(:w AS text[])) AS w"), {"w": written}).scalars()
    assert [*folded] == [fold(letter) for letter in written]


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40))
def test_a_folded_text_is_folded_no_further(written: str) -> None:
    assert fold(fold(written)) == fold(written)


def test_any_texts_are_folded_alike_by_python_and_postgresql(session: Session) -> None:
    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40)))
    def are_alike(written: list[str]) -> None:
        statement = text("SELECT fold_text(w) FROM unnest(CAST(:w AS text[])) WITH ORDINALITY AS t (w, n) ORDER BY n")
        assert [*session.execute(statement, {"w": written}).scalars()] == [fold(one) for one in written]

    are_alike()


@pytest.mark.parametrize(("first", "second"), SAME)
def test_a_unique_column_takes_a_text_once_however_it_is_written(
    session: Session, deals: Access, ann: Actor, first: str, second: str
) -> None:
    change_column(session, ann, deals.sheet.sheet_id, ACCOUNT, rules={"unique": True})
    access = get_access(session, ann, deals.sheet.sheet_id)
    added(session, ann, access, first)
    for again in (first, second):
        with pytest.raises(Invalid, match="must be unique"):
            added(session, ann, access, again)
    with pytest.raises(Invalid, match="must be unique"):
        added(session, ann, access, f"{second} 2", f"{first} 2")
    added(session, ann, access, "Other")
    taken = Batch(edits=(Edit(2, ACCOUNT, CellInput(second)),))
    with pytest.raises(Invalid, match="must be unique"):
        write(session, ann, access.sheet.sheet_id, taken, operation_id=uuid4(), source=ChangeSource.API)


def test_a_row_whose_unique_text_is_taken_in_another_writing_stays_in_the_trash(
    session: Session, deals: Access, ann: Actor
) -> None:
    change_column(session, ann, deals.sheet.sheet_id, ACCOUNT, rules={"unique": True})
    access = get_access(session, ann, deals.sheet.sheet_id)
    added(session, ann, access, "İzmir")
    gone = Batch(deletes=(1,))
    write(session, ann, access.sheet.sheet_id, gone, operation_id=uuid4(), source=ChangeSource.API)
    added(session, ann, access, "izmir")
    outcome = restore_rows(session, ann, access.sheet.sheet_id, [1], operation_id=uuid4(), partial=True)
    assert (outcome.restored, len(outcome.refused)) == ([], 1)


@pytest.mark.parametrize(("stored", "sought"), SAME)
def test_search_and_filters_find_a_text_however_it_is_written(
    session: Session, deals: Access, ann: Actor, stored: str, sought: str
) -> None:
    added(session, ann, deals, f"The {stored} Company", "Another")
    for wanted in (stored, sought):
        assert accounts(session, deals, search=wanted) == [f"The {stored} Company"]
        for op, value in (("contains", wanted), ("starts_with", f"the {wanted}"), ("is", f"THE {wanted} COMPANY")):
            found = accounts(session, deals, filter=[{"column": ACCOUNT, "op": op, "value": value}])
            assert found == [f"The {stored} Company"]


def test_letters_with_marks_stand_beside_those_without(session: Session, deals: Access, ann: Actor) -> None:
    names = ["Dora", "Đuro", "émile", "Łódź", "Lund", "Oelde", "Œuvre", "Ørsted", "Otto", "Strasbourg", "Straße", "Zoe"]
    added(session, ann, deals, *reversed(names))
    assert accounts(session, deals, sort=[{"column": ACCOUNT}]) == names


def test_the_past_is_searched_and_sorted_by_what_stood_there(session: Session, deals: Access, ann: Actor) -> None:
    added(session, ann, deals, "Łódź", "Łuck")
    before = get_access(session, ann, deals.sheet.sheet_id)
    edit = Batch(edits=(Edit(1, ACCOUNT, CellInput("Zgierz")),))
    write(session, ann, deals.sheet.sheet_id, edit, operation_id=uuid4(), source=ChangeSource.API)
    past = as_of(before, before.sheet.version)
    assert accounts(session, past, search="lodz") == ["Łódź"]
    assert accounts(session, past, search="zgierz") == []
    assert accounts(session, past, sort=[{"column": ACCOUNT, "descending": True}]) == ["Łuck", "Łódź"]


def test_a_row_that_is_written_past_the_commands_is_folded_too(session: Session, deals: Access, ann: Actor) -> None:
    added(session, ann, deals, "plain")
    values = text("""UPDATE rows SET values = values || '{"2": "Łódź"}', folded = '{}' WHERE sheet_id = :sheet""")
    session.execute(text("SELECT next_version(:sheet, 0)"), {"sheet": deals.sheet.sheet_id})
    session.execute(values, {"sheet": deals.sheet.sheet_id})
    assert accounts(session, deals, search="lodz") == ["Łódź"]


def test_an_option_is_found_by_its_own_writing_where_two_fold_alike() -> None:
    options = (Option("o1", "Résumé"), Option("o2", "Resume"), Option("o3", "Straße"))
    choice = column_type("choice")
    column = Draft("choice", {}, options)
    assert [choice.parse(label, column, NO_REFERENCES) for label in ("Resume", "Résumé", "STRASSE")] == [
        "o2",
        "o1",
        "o3",
    ]
