"""Sheets, columns, layouts and collaborators through the API."""

from typing import Any

import pytest

from tests.api.conftest import AMOUNT, DEAL, OWNER, STAGE, People


def test_a_sheet_says_all_that_a_grid_needs(people: People) -> None:
    sheet = people("Ben").get("/sheets/{sheet}")
    amount = next(column for column in sheet["columns"] if column["id"] == AMOUNT)
    stage = next(column for column in sheet["columns"] if column["id"] == STAGE)
    assert (sheet["name"], sheet["level"], sheet["version"]) == ("Deals", "editor", 0)
    assert "rows:edit" in sheet["permissions"]
    assert "columns:edit" not in sheet["permissions"]
    assert sheet["settings"]["pipeline"]["stage"] == STAGE
    assert sheet["people"]["2"] == "Ann"
    assert (amount["type"], amount["align_right"], amount["rules"]["currency"]) == ("money", True, "EUR")
    assert stage["options"][0]["label"] == "Lead"
    assert stage["editor"]


def test_the_list_shows_what_is_shared_and_nothing_else(people: People) -> None:
    assert [sheet["name"] for sheet in people("Cleo").get("/sheets")["sheets"]] == ["Deals"]
    assert people("Dan").get("/sheets")["sheets"] == []


def test_whoever_creates_a_sheet_owns_it(people: People) -> None:
    answer = people("Dan").ask("POST", "/sheets", json={"name": "  My   deals ", "template": "pipeline"})
    sheet = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/v1/sheets/{sheet['id']}"
    assert (sheet["name"], sheet["level"], len(sheet["columns"])) == ("My deals", "owner", 11)


def test_an_analyst_creates_no_sheets(people: People) -> None:
    answer = people("Cleo").ask("POST", "/sheets", json={"name": "Mine"})
    assert answer.status_code == 403
    assert "Ask an administrator" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": " "},
        {"name": "x" * 500},
        {"name": 7},
        {"name": "a", "template": "none"},
        {"name": "a", "owner_id": 1},
        {"name": "a", "description": "x" * 5000},
        {"name": "a\x00b"},
        [],
        "text",
    ],
)
def test_a_sheet_that_makes_no_sense_is_refused_with_a_sentence(people: People, body: Any) -> None:
    answer = people("Ann").ask("POST", "/sheets", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize("name", ["__class__", "'; DROP TABLE x;--", "<script>alert(1)</script>", "名前 😀"])
def test_odd_names_are_only_text(people: People, name: str) -> None:
    ann = people("Ann")
    assert ann.ask("PATCH", "/sheets/{sheet}", json={"name": name, "description": name}).status_code == 200
    assert ann.get("/sheets/{sheet}")["name"] == name


def test_an_owner_renames_describes_and_configures_at_once_or_not_at_all(people: People) -> None:
    ann = people("Ann")
    refused = ann.ask("PATCH", "/sheets/{sheet}", json={"name": "New", "pipeline": {"stage": AMOUNT}})
    assert refused.status_code == 422
    assert ann.get("/sheets/{sheet}")["name"] == "Deals"
    changed = ann.ask("PATCH", "/sheets/{sheet}", json={"name": "New", "pipeline": {"stage": STAGE, "amount": None}})
    assert (changed.json()["name"], changed.json()["settings"]["pipeline"]) == ("New", {"stage": STAGE})


def test_an_archived_sheet_is_read_and_not_changed_until_it_is_restored(people: People) -> None:
    ann = people("Ann")
    ann.add({DEAL: "Kept"})
    assert ann.ask("POST", "/sheets/{sheet}/archive").json()["archived_at"]
    assert ann.get("/sheets")["sheets"] == []
    assert [sheet["name"] for sheet in ann.get("/sheets", archived=True)["sheets"]] == ["Deals"]
    assert ann.edit(1, DEAL, "x").status_code == 403
    assert ann.ask("POST", "/sheets/{sheet}/restore").json()["archived_at"] is None
    assert ann.edit(1, DEAL, "x").status_code == 200


def test_a_workspace_level_lets_everybody_in_and_out_again(people: People) -> None:
    ann, dan = people("Ann"), people("Dan")
    ann.ask("PATCH", "/sheets/{sheet}", json={"workspace_level": "viewer"})
    assert dan.get("/sheets/{sheet}")["level"] == "viewer"
    ann.ask("PATCH", "/sheets/{sheet}", json={"workspace_level": "none"})
    assert dan.ask("GET", "/sheets/{sheet}").status_code == 404


# --- columns


def test_a_column_is_added_changed_reordered_retired_and_restored(people: People) -> None:
    ann = people("Ann")
    made = ann.ask("POST", "/sheets/{sheet}/columns", json={"name": "Score", "type": "number", "rules": {"min": "0"}})
    column = made.json()["id"]
    assert made.status_code == 201
    (row,) = ann.add({DEAL: "Scored", column: 7})
    changed = ann.ask("PATCH", f"/sheets/{{sheet}}/columns/{column}", json={"name": "Points", "description": "0 to 10"})
    assert (changed.json()["name"], changed.json()["rules"]) == ("Points", made.json()["rules"])
    ordered = ann.ask("PUT", "/sheets/{sheet}/columns/order", json={"order": [column, DEAL]}).json()["columns"]
    assert [one["id"] for one in ordered][:2] == [column, DEAL]
    ann.ask("DELETE", f"/sheets/{{sheet}}/columns/{column}")
    assert str(column) not in ann.get(f"/sheets/{{sheet}}/rows/{row}")["values"]
    assert [one["id"] for one in ann.get("/sheets/{sheet}/columns")["retired"]] == [column]
    ann.ask("POST", f"/sheets/{{sheet}}/columns/{column}/restore")
    assert ann.cell(row, column) == "7"


def test_options_are_renamed_without_moving_data(people: People) -> None:
    ann = people("Ann")
    options = [{"id": "o1", "label": "Low"}, {"id": "o2", "label": "High"}]
    body = {"name": "Heat", "type": "choice", "options": options}
    column = ann.ask("POST", "/sheets/{sheet}/columns", json=body).json()["id"]
    (row,) = ann.add({DEAL: "Warm", column: "o2"})
    options[1]["label"] = "Very high"
    changed = ann.ask("PATCH", f"/sheets/{{sheet}}/columns/{column}", json={"options": options})
    assert [option["label"] for option in changed.json()["options"]] == ["Low", "Very high"]
    assert ann.cell(row, column) == "o2"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "deal", "type": "text"},
        {"name": "", "type": "text"},
        {"name": "x" * 500, "type": "text"},
        {"name": "A", "type": "none"},
        {"name": "A", "type": "number", "rules": {"unknown": 1}},
        {"name": "A", "type": "text", "options": [{"id": "o1", "label": "x"}]},
        {"name": "A", "type": "text", "column_id": 1},
        {"name": "A", "type": "text", "rules": {"pattern": "("}},
    ],
)
def test_a_column_that_makes_no_sense_is_refused_with_a_sentence(people: People, body: dict[str, Any]) -> None:
    answer = people("Ann").ask("POST", "/sheets/{sheet}/columns", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith(".")


def test_the_column_that_says_whose_a_row_is_can_be_chosen(people: People) -> None:
    ann = people("Ann")
    chosen = ann.ask("PATCH", "/sheets/{sheet}", json={"pipeline": {}, "owner_column": OWNER})
    assert chosen.json()["settings"]["owner_column"] == OWNER
    refused = ann.ask("PATCH", "/sheets/{sheet}", json={"owner_column": AMOUNT})
    assert (refused.status_code, "type Person" in refused.json()["detail"]) == (422, True)
    without = ann.ask("PATCH", "/sheets/{sheet}", json={"owner_column": 0})
    assert "owner_column" not in without.json()["settings"]


def test_the_columns_that_make_the_pipeline_are_not_retired(people: People) -> None:
    answer = people("Ann").ask("DELETE", f"/sheets/{{sheet}}/columns/{STAGE}")
    assert answer.status_code == 422
    assert "stage" in answer.json()["detail"]


# --- layout


def test_a_layout_is_remembered_for_one_person_alone(people: People) -> None:
    ben, cleo = people("Ben"), people("Cleo")
    cleo.ask("PUT", "/sheets/{sheet}/layout", json={"widths": {"1": 240}, "hidden": [4]})
    cleo.ask("PUT", "/sheets/{sheet}/layout", json={"order": [3, 1]})
    assert cleo.get("/sheets/{sheet}/layout") == {"widths": {"1": 240}, "hidden": [4], "order": [3, 1]}
    assert ben.get("/sheets/{sheet}/layout") == {}


@pytest.mark.parametrize(
    "body", [{"widths": {"1": "wide"}}, {"colour": 1}, {"hidden": list(range(2000))}, {"order": 1}]
)
def test_a_layout_that_makes_no_sense_is_refused(people: People, body: dict[str, Any]) -> None:
    assert people("Ann").ask("PUT", "/sheets/{sheet}/layout", json=body).status_code == 422


# --- collaborators


def test_the_owner_shares_changes_and_takes_back(people: People) -> None:
    ann, dan = people("Ann"), people("Dan")
    ann.ask("PUT", "/sheets/{sheet}/collaborators/5", json={"level": "viewer"})
    assert dan.get("/sheets/{sheet}")["level"] == "viewer"
    ann.ask("PUT", "/sheets/{sheet}/collaborators/5", json={"level": "editor"})
    listed = ann.get("/sheets/{sheet}/collaborators")["collaborators"]
    assert [(one["name"], one["level"]) for one in listed] == [
        ("Ann", "owner"),
        ("Ben", "editor"),
        ("Cleo", "viewer"),
        ("Dan", "editor"),
    ]
    ann.ask("DELETE", "/sheets/{sheet}/collaborators/5")
    assert dan.ask("GET", "/sheets/{sheet}").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("2", {"level": "viewer"}, 422), ("99", {"level": "viewer"}, 404), ("5", {"level": "owner"}, 422), ("5", {}, 422)],
)
def test_a_share_that_makes_no_sense_is_refused(people: People, path: str, body: Any, status: int) -> None:
    assert people("Ann").ask("PUT", f"/sheets/{{sheet}}/collaborators/{path}", json=body).status_code == status


# --- changes


def test_changes_tell_what_happened_since_a_version(people: People) -> None:
    ann, ben = people("Ann"), people("Ben")
    first, second = ann.add({DEAL: "One"}, {DEAL: "Two"})
    since = ann.version
    ben.edit(first, AMOUNT, 12.5)
    ben.change(deletes=[second])
    found = ann.get("/sheets/{sheet}/changes", since=since)
    assert (found["version"], found["reset"]) == (since + 2, False)
    edited, removed = found["rows"]
    assert (edited["values"], edited["versions"], edited["by"]["name"]) == ({"4": "12.5"}, {"4": since + 1}, "Ben")
    assert (removed["id"], removed["removed"]) == (second, True)
    assert ann.get("/sheets/{sheet}/changes", since=found["version"])["rows"] == []


def test_changes_since_a_version_that_never_was_ask_for_a_new_start(people: People) -> None:
    assert people("Ann").get("/sheets/{sheet}/changes", since=4711)["reset"] is True


def test_the_history_is_read_page_by_page(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Storied"})
    for amount in range(5):
        ann.edit(row, AMOUNT, amount)
    first = ann.get("/sheets/{sheet}/history", limit=4)
    rest = ann.get("/sheets/{sheet}/history", limit=4, before=first["next"])
    assert [line["version"] for line in first["changes"] + rest["changes"]] == [6, 5, 4, 3, 2, 1]
    assert rest["next"] is None
    assert first["changes"][0]["by"] == "Ann"
