"""Whoever is given only their own or their team's rows learns nothing of the others; nor anybody of a hidden column."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, is_dataclass
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import NO_COLUMN, Access
from core.access.load import get_access
from core.access.row_gate import scope_sql, visible_sql
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound, Refused
from core.base.permissions import Level
from core.edits import trash, undo
from core.edits.batch import Batch, CellInput, Edit, NewRow, Outcome
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.exports import export_rows
from core.history import changes_since, history
from core.history.diff import difference
from core.imports.inspection import inspect as inspect_file
from core.imports.load import import_rows
from core.imports.plan import propose
from core.pipeline import figures as dashboard
from core.presence import presence
from core.rows import as_of
from core.rows.filter_tree import Condition
from core.rows.query import Sort, View
from core.rows.read import first_rows, row_count, rows_after, rows_by_id, rows_in_order, stored_row
from core.rows.row_order import row_order
from core.sheets.columns import limit_column
from core.sheets.serialize import sheet_json
from core.sheets.sheets import choose_owner_column, configure_pipeline
from tests.conftest import actor

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, SOURCE = 1, 2, 3, 4, 5, 8
MINE, BENS, NOBODYS = 1, 2, 3
SECRET = "Project Falcon"
JOINED = text("""
    INSERT INTO team_members (team_id, user_id, is_manager, accepted_at) VALUES (:team, :user, :manages, now())
""")


def share(session: Session, sheet: int, who: Actor, level: str, rows: str) -> None:
    statement = """
        INSERT INTO collaborators (sheet_id, user_id, level, row_scope) VALUES (:sheet, :user, :level, :rows)
        ON CONFLICT (sheet_id, user_id) DO UPDATE SET level = :level, row_scope = :rows
    """
    session.execute(text(statement), {"sheet": sheet, "user": who.user_id, "level": level, "rows": rows})


def team(session: Session, *members: Actor, manager: Actor | None = None) -> int:
    number: int = session.execute(text("INSERT INTO teams (name) VALUES ('North') RETURNING team_id")).scalar_one()
    for member in members:
        line = {"team": number, "user": member.user_id, "manages": member == manager}
        session.execute(JOINED, line)
    return number


def share_team(session: Session, sheet: int, team_id: int, level: str, rows: str) -> None:
    line = {"sheet": sheet, "team": team_id, "level": level, "rows": rows}
    session.execute(text("INSERT INTO team_collaborators VALUES (:sheet, :team, :level, :rows)"), line)


def put(session: Session, who: Actor, sheet: int, **batch: Any) -> Outcome:
    return write(session, who, sheet, Batch(**batch), operation_id=uuid4(), source=ChangeSource.API)


def edit(session: Session, who: Actor, sheet: int, row: int, column: int, value: Any) -> Outcome:
    return put(session, who, sheet, edits=(Edit(row, column, CellInput(value=value)),))


@pytest.fixture
def sheet(session: Session, deals: Access, ann: Actor, ben: Actor, dan: Actor) -> int:
    """Ann's deals: row 1 is Dan's, row 2 Ben's, row 3 nobody's. Dan edits his own rows only."""
    number = deals.sheet.sheet_id
    deal = {DEAL: CellInput("Visible"), OWNER: CellInput(value=str(dan.user_id)), AMOUNT: CellInput("10")}
    others = {DEAL: CellInput(SECRET), OWNER: CellInput(value=str(ben.user_id)), AMOUNT: CellInput("73519")}
    put(
        session,
        ann,
        number,
        adds=(NewRow("a", deal), NewRow("b", others), NewRow("c", others | {OWNER: CellInput("")})),
    )
    share(session, number, dan, "editor", "own")
    return number


def told(found: Any) -> str:
    """Everything that an answer says, as one text."""
    return json.dumps(
        found,
        default=lambda one: asdict(one) if is_dataclass(one) else vars(one) if hasattr(one, "__dict__") else str(one),
    )  # type: ignore[arg-type]


def exported(session: Session, who: Actor, sheet: int) -> str:
    file = io.BytesIO()
    export_rows(session, who, sheet, View(), file, file_format="csv")
    return file.getvalue().decode()


def reads(session: Session, who: Actor, sheet: int) -> Iterator[tuple[str, Any]]:
    """Every way in which core tells of the rows of a sheet."""
    access = get_access(session, who, sheet)
    sorted_down = View(sort=(Sort(AMOUNT, descending=True),))
    yield "description", sheet_json(access)
    yield "first rows", first_rows(session, access, View(), limit=100).rows
    yield "sorted rows", first_rows(session, access, sorted_down, limit=100).rows
    yield "cursor", [rows_after(session, access, sorted_down, cursor=None, limit=100).rows for _ in range(3)]
    yield "rows by id", rows_by_id(session, access, [1, 2, 3])
    yield "order", rows_in_order(session, access, row_order(session, access, View()), offset=0, limit=100).rows
    yield "search", first_rows(session, access, View(search=SECRET[:6]), limit=100).rows
    yield "filter", first_rows(session, access, View(filter=(Condition(DEAL, "contains", "Fal"),)), limit=9).rows
    yield "changes", changes_since.changes_since(session, access, 0).as_json()
    yield "recent", history.recent_changes(session, get_access(session, who, sheet))
    yield "trash", trash.trash(session, who, sheet)
    yield "difference", difference(session, who, sheet, "version:0")
    yield "past", first_rows(session, as_of.as_of(access, access.sheet.version - 1), View(), limit=100).rows
    yield "past order", [*row_order(session, as_of.as_of(access, access.sheet.version - 1), View()).ids]
    yield "presence", presence.list_present(session, who, sheet)
    yield "export", exported(session, who, sheet)
    yield "dashboard", dashboard.figures(session, access, View(), today=date(2026, 11, 23))


def test_no_way_of_reading_tells_of_a_row_that_is_not_mine(
    session: Session, sheet: int, ann: Actor, dan: Actor
) -> None:
    edit(session, ann, sheet, BENS, ACCOUNT, SECRET)
    put(session, ann, sheet, deletes=(NOBODYS,))
    place(session, sheet, ann, BENS)
    for name, found in reads(session, ann, sheet):
        assert name in {"description", "presence", "dashboard", "past order"} or SECRET in told(found), name
    for name, found in reads(session, dan, sheet):
        assert SECRET not in told(found), name
    assert "Visible" in exported(session, dan, sheet)


def place(session: Session, sheet: int, who: Actor, row: int) -> None:
    line = {"sheet": sheet, "user": who.user_id, "row": row}
    statement = """INSERT INTO presence (connection_id, process_id, sheet_id, user_id, row_id, column_id)
        VALUES (gen_random_uuid(), gen_random_uuid(), :sheet, :user, :row, 1)"""
    session.execute(text(statement), line)


def test_numbers_count_only_what_is_mine(session: Session, sheet: int, dan: Actor) -> None:
    access = get_access(session, dan, sheet)
    assert row_count(session, access, View()) == 1
    assert [row["id"] for row in first_rows(session, access, View(), limit=10).rows] == [MINE]
    assert [*row_order(session, access, View()).ids] == [MINE]
    assert trash.trash_size(session, access) == 0
    figures = dashboard.figures(session, access, View(), today=date(2026, 11, 23))
    assert "73529" not in told(figures)
    assert "73519" not in told(figures)


def test_where_a_colleague_is_stays_untold_when_the_row_is_not_mine(
    session: Session, sheet: int, ann: Actor, dan: Actor
) -> None:
    place(session, sheet, ann, BENS)
    place(session, sheet, ann, MINE)
    assert {line["row"] for line in presence.list_present(session, dan, sheet)} == {None, MINE}


@pytest.mark.parametrize("row", [BENS, NOBODYS])
def test_a_row_that_is_not_mine_is_answered_like_one_that_never_was(
    session: Session, sheet: int, dan: Actor, row: int
) -> None:
    access = get_access(session, dan, sheet)
    attempts: list[Callable[[int], Any]] = [
        lambda row: stored_row(session, access, row),
        lambda row: edit(session, dan, sheet, row, DEAL, "Mine now"),
        lambda row: edit(session, dan, sheet, row, OWNER, str(dan.user_id)),
        lambda row: history.row_history(session, get_access(session, dan, sheet), row),
        lambda row: history.cell_history(session, get_access(session, dan, sheet), row, DEAL),
        lambda row: trash.restore_rows(session, dan, sheet, [row], operation_id=uuid4()),
    ]
    for attempt in attempts:
        with pytest.raises(Refused) as theirs:
            attempt(row)
        with pytest.raises(Refused) as never:
            attempt(999)
        assert str(theirs.value).replace(str(row), "n") == str(never.value).replace("999", "n")
        assert type(theirs.value) is type(never.value)
    with pytest.raises(NotFound):
        put(session, dan, sheet, deletes=(row,))
    assert row_count(session, get_access(session, actor("Ann"), sheet), View()) == 3


def test_a_new_row_is_mine_where_it_names_nobody(session: Session, sheet: int, dan: Actor, ben: Actor) -> None:
    added = put(session, dan, sheet, adds=(NewRow("n", {DEAL: CellInput("New")}),)).added[0]
    assert added["values"][str(OWNER)] == str(dan.user_id)
    with pytest.raises(Invalid, match="rows of your own"):
        put(
            session, dan, sheet, adds=(NewRow("n", {DEAL: CellInput("New"), OWNER: CellInput(value=str(ben.user_id))}),)
        )


def test_a_row_that_i_hand_over_leaves_my_screen_and_comes_onto_the_other_one(
    session: Session, sheet: int, ben: Actor, dan: Actor
) -> None:
    share(session, sheet, ben, "editor", "own")
    before = get_access(session, dan, sheet).sheet.version
    edit(session, dan, sheet, MINE, OWNER, str(ben.user_id))
    left = changes_since.changes_since(session, get_access(session, dan, sheet), before).rows
    came = changes_since.changes_since(session, get_access(session, ben, sheet), before).rows
    assert [(row["id"], row["removed"], row["values"]) for row in left] == [(MINE, True, {})]
    assert [(row["id"], row["restored"], row["values"][str(DEAL)]) for row in came] == [(MINE, True, "Visible")]
    with pytest.raises(NotFound):
        stored_row(session, get_access(session, dan, sheet), MINE)


def test_what_was_handed_on_and_back_meanwhile_is_no_news_but_its_cells(
    session: Session, sheet: int, ann: Actor, ben: Actor, dan: Actor
) -> None:
    before = get_access(session, dan, sheet).sheet.version
    edit(session, ann, sheet, MINE, OWNER, str(ben.user_id))
    edit(session, ann, sheet, MINE, OWNER, str(dan.user_id))
    (row,) = changes_since.changes_since(session, get_access(session, dan, sheet), before).rows
    assert (row["removed"], row["restored"], row["added"]) == (False, False, False)


def test_a_row_of_mine_cannot_become_nobodys(session: Session, sheet: int, ann: Actor, dan: Actor) -> None:
    with pytest.raises(Invalid, match="can't clear the owner"):
        edit(session, dan, sheet, MINE, OWNER, None)
    assert edit(session, ann, sheet, MINE, OWNER, None).saved


def test_the_past_shows_the_rows_that_are_mine_today(
    session: Session, sheet: int, ann: Actor, ben: Actor, dan: Actor
) -> None:
    before = get_access(session, ann, sheet).sheet.version
    edit(session, ann, sheet, BENS, OWNER, str(dan.user_id))
    edit(session, ann, sheet, MINE, OWNER, str(ben.user_id))
    then = as_of.as_of(get_access(session, dan, sheet), before)
    assert [row["id"] for row in first_rows(session, then, View(), limit=10).rows] == [BENS]


def test_an_import_gives_rows_to_whoever_imports_them(session: Session, sheet: int, dan: Actor, ben: Actor) -> None:
    def load(content: str) -> None:
        file = io.BytesIO(content.encode())
        plan = propose(inspect_file(file), get_access(session, dan, sheet))
        import_rows(session, dan, sheet, file, plan, operation_id=uuid4())

    load("Deal,Owner\nOne,\nTwo,Dan\n")
    rows = first_rows(session, get_access(session, dan, sheet), View(), limit=10).rows
    assert [row["values"][str(DEAL)] for row in rows] == ["Visible", "One", "Two"]
    with pytest.raises(Invalid, match="names others"):
        load("Deal,Owner\nThree,Ben\n")


def test_undo_takes_back_only_in_rows_that_are_still_mine(
    session: Session, sheet: int, ann: Actor, ben: Actor, dan: Actor
) -> None:
    edit(session, dan, sheet, MINE, DEAL, "Changed")
    edit(session, ann, sheet, MINE, OWNER, str(ben.user_id))
    taken = undo.undo(session, dan, sheet, operation_id=uuid4())
    assert taken.cells == 0
    assert stored_row(session, get_access(session, ann, sheet), MINE)[str(DEAL)] == "Changed"


def test_a_team_sees_the_teams_rows_and_its_members_their_own(
    session: Session, sheet: int, ben: Actor, cleo: Actor, dan: Actor
) -> None:
    north = team(session, ben, cleo, manager=cleo)
    share_team(session, sheet, north, "editor", "own")
    session.execute(text("DELETE FROM collaborators WHERE sheet_id = :sheet"), {"sheet": sheet})
    seen = {who.name: [row["id"] for row in mine(session, who, sheet)] for who in (ben, cleo)}
    assert seen == {"Ben": [BENS], "Cleo": [BENS]}
    assert get_access(session, cleo, sheet).owners == tuple(sorted(str(one.user_id) for one in (ben, cleo)))
    share(session, sheet, dan, "viewer", "team")
    assert [row["id"] for row in mine(session, dan, sheet)] == [MINE]
    session.execute(JOINED, {"team": north, "user": dan.user_id, "manages": False})
    assert [row["id"] for row in mine(session, dan, sheet)] == [MINE, BENS]


def mine(session: Session, who: Actor, sheet: int) -> list[dict[str, Any]]:
    return first_rows(session, get_access(session, who, sheet), View(), limit=10).rows


def test_the_closest_share_counts(session: Session, sheet: int, ann: Actor, dan: Actor, cleo: Actor) -> None:
    session.execute(text("UPDATE sheets SET workspace_level = 'editor' WHERE sheet_id = :sheet"), {"sheet": sheet})
    assert get_access(session, dan, sheet).owners == (str(dan.user_id),)
    share_team(session, sheet, team(session, dan, cleo), "viewer", "all")
    assert get_access(session, dan, sheet).owners == (str(dan.user_id),)
    share(session, sheet, dan, "viewer", "all")
    assert (get_access(session, dan, sheet).level, get_access(session, dan, sheet).owners) == (Level.VIEWER, None)
    assert get_access(session, ann, sheet).owners is None


def test_who_sees_what_tells_accesses_apart(session: Session, sheet: int, ann: Actor, ben: Actor, dan: Actor) -> None:
    share(session, sheet, ben, "editor", "own")
    scopes = {get_access(session, who, sheet).scope for who in (ann, ben, dan)}
    assert len(scopes) == 3
    told_scopes = {
        changes_since.changes_since(session, get_access(session, who, sheet), 0).scope for who in (ann, ben, dan)
    }
    assert len(told_scopes) == 3


def test_without_an_owner_column_nobody_has_rows_of_their_own(
    session: Session, sheet: int, ann: Actor, dan: Actor
) -> None:
    configure_pipeline(session, ann, sheet, {})
    assert mine(session, dan, sheet) == []
    with pytest.raises(Refused, match="owner of a row"):
        put(session, dan, sheet, adds=(NewRow("n", {DEAL: CellInput("New")}),))
    choose_owner_column(session, ann, sheet, OWNER)
    assert [row["id"] for row in mine(session, dan, sheet)] == [MINE]
    with pytest.raises(Invalid, match="type Person"):
        choose_owner_column(session, ann, sheet, DEAL)


# --- columns --------------------------------------------------------------------------------------------------------


def test_no_way_of_reading_tells_of_a_hidden_column(session: Session, sheet: int, ann: Actor, ben: Actor) -> None:
    share(session, sheet, ben, "editor", "all")
    edit(session, ann, sheet, MINE, ACCOUNT, SECRET)
    put(session, ann, sheet, deletes=(NOBODYS,))
    for column in (DEAL, ACCOUNT, AMOUNT):
        limit_column(session, ann, sheet, column, {"editor": "hidden"})
    for name, found in reads_without(session, ben, sheet):
        assert SECRET not in told(found), name
        assert "73519" not in told(found), name
    assert "Amount" not in told(sheet_json(get_access(session, ben, sheet)))
    assert SECRET in told(changes_since.changes_since(session, get_access(session, ann, sheet), 0).as_json())


def test_a_column_is_hidden_from_those_with_their_own_rows_and_not_from_their_manager(
    session: Session, sheet: int, ann: Actor, ben: Actor, cleo: Actor
) -> None:
    session.execute(text("UPDATE users SET role = 'member'"))
    session.execute(text("DELETE FROM collaborators WHERE sheet_id = :sheet"), {"sheet": sheet})
    share_team(session, sheet, team(session, ben, cleo, manager=cleo), "editor", "own")
    limit_column(session, ann, sheet, AMOUNT, {"own": "hidden"})
    limit_column(session, ann, sheet, ACCOUNT, {"own": "read-only"})
    for who, is_told in ((ben, False), (cleo, True)):
        changed = changes_since.changes_since(session, get_access(session, who, sheet), 0).as_json()
        for found in (mine(session, who, sheet), changed, exported(session, who, sheet)):
            assert (("73519" in told(found)), SECRET in told(found)) == (is_told, True)
    with pytest.raises(NotFound):
        first_rows(session, get_access(session, ben, sheet), View(sort=(Sort(AMOUNT),)), limit=10)
    edit(session, cleo, sheet, BENS, ACCOUNT, "The manager's")
    with pytest.raises(Refused):
        edit(session, ben, sheet, BENS, ACCOUNT, "Ben's")
    share(session, sheet, ben, "editor", "all")
    assert "73519" in told(mine(session, ben, sheet)), "closer, and all rows: not of that audience any more"
    limit_column(session, ann, sheet, AMOUNT, {"own": "hidden", "editor": "read-only"})
    share(session, sheet, ben, "editor", "own")
    assert AMOUNT not in get_access(session, ben, sheet).by_id, "held to both"


def reads_without(session: Session, who: Actor, sheet: int) -> Iterator[tuple[str, Any]]:
    """The ways of reading that do not name a column; one that is hidden cannot be named."""
    access = get_access(session, who, sheet)
    for name, view in {
        "a sort": View(sort=(Sort(AMOUNT),)),
        "a filter": View(filter=(Condition(ACCOUNT, "contains", "Fal"),)),
    }.items():
        with pytest.raises(NotFound) as hidden:
            first_rows(session, access, view, limit=10)
        assert hidden.value.message == NO_COLUMN, name
    yield "search", first_rows(session, access, View(search="73519"), limit=10).rows
    assert row_count(session, access, View(search="Falcon")) == 0
    yield "description", sheet_json(access)
    yield "rows", first_rows(session, access, View(), limit=100).rows
    yield "changes", changes_since.changes_since(session, access, 0).as_json()
    yield "recent", history.recent_changes(session, get_access(session, who, sheet))
    yield "row", history.row_history(session, get_access(session, who, sheet), MINE)
    yield "trash", trash.trash(session, who, sheet)
    yield "difference", difference(session, who, sheet, "version:0")
    yield "past", first_rows(session, as_of.as_of(access, 1), View(), limit=100).rows
    yield "export", exported(session, who, sheet)
    yield "dashboard", dashboard.figures(session, access, View(), today=date(2026, 11, 23))
    with pytest.raises(NotFound):
        history.cell_history(session, get_access(session, who, sheet), MINE, ACCOUNT)
    with pytest.raises(NotFound):
        edit(session, who, sheet, MINE, ACCOUNT, "x")


def test_a_read_only_column_is_shown_and_not_written(session: Session, sheet: int, ann: Actor, ben: Actor) -> None:
    share(session, sheet, ben, "editor", "all")
    limit_column(session, ann, sheet, AMOUNT, {"editor": "read-only"})
    with pytest.raises(Invalid, match="“Amount” is read-only for you"):
        edit(session, ben, sheet, MINE, AMOUNT, "11")
    with pytest.raises(Invalid, match="read-only"):
        put(session, ben, sheet, adds=(NewRow("n", {DEAL: CellInput("New"), AMOUNT: CellInput("1")}),))
    file = io.BytesIO(b"Deal,Amount\nOne,1\n")
    plan = propose(inspect_file(file), get_access(session, ben, sheet))
    with pytest.raises(Invalid, match="read-only"):
        import_rows(session, ben, sheet, file, plan, operation_id=uuid4())
    assert stored_row(session, get_access(session, ben, sheet), MINE)[str(AMOUNT)] == 10
    described = {
        one["name"]: (one["read_only"], one["editor"]) for one in sheet_json(get_access(session, ben, sheet))["columns"]
    }
    assert described["Amount"] == (True, "none")
    assert edit(session, ann, sheet, MINE, AMOUNT, "11").saved


def test_rows_are_added_without_what_their_author_may_not_write(
    session: Session, sheet: int, ann: Actor, ben: Actor
) -> None:
    share(session, sheet, ben, "editor", "all")
    for limit in ("hidden", "read-only"):
        limit_column(session, ann, sheet, DEAL, {"editor": limit})
        assert put(session, ben, sheet, adds=(NewRow("n", {ACCOUNT: CellInput("Acme")}),)).added


@pytest.mark.parametrize(
    "limits", [{"owner": "hidden"}, {"viewer": "read-only"}, {"editor": "secret"}, {"manager": "hidden"}]
)
def test_other_limits_are_refused(session: Session, sheet: int, ann: Actor, limits: dict[str, str]) -> None:
    with pytest.raises(Refused):
        limit_column(session, ann, sheet, AMOUNT, limits)  # type: ignore[arg-type]


def test_a_limit_moves_whoever_has_the_sheet_open(session: Session, sheet: int, ann: Actor, ben: Actor) -> None:
    share(session, sheet, ben, "editor", "all")
    before = get_access(session, ben, sheet)
    limit_column(session, ann, sheet, AMOUNT, {"editor": "hidden"})
    after = get_access(session, ben, sheet)
    assert after.scope != before.scope
    assert after.sheet.columns_version > before.sheet.columns_version


def test_the_gate_has_a_parameter_for_everything_that_it_names(session: Session, sheet: int, dan: Actor) -> None:
    access = get_access(session, dan, sheet)
    for gate in (scope_sql("r"), visible_sql("r")):
        rows = session.scalars(text(f"SELECT r.row_id FROM rows r WHERE {gate}"), access.row_gate.parameters())
        assert [*rows] == [MINE]
