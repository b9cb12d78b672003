"""What the page gives to the grid's component."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.column_types import TYPES
from pages.components.grid import DEFAULT_LAYOUT

EDITOR = ["rows:add", "rows:delete", "rows:edit", "rows:see"]


def page(permissions: list[str], version: int | None) -> None:
    from pages.components.grid import show

    sheet = {"id": 7, "name": "Deals", "version": 3, "permissions": permissions, "people": {1: "Ann"}}
    sheet["columns"] = [{"id": 1, "name": "Owner", "type": "person"}]
    show(sheet, key="grid", me={"id": 1, "name": "Ann"}, layout={"hidden": [4]}, version=version)


def given(permissions: list[str], version: int | None = None) -> dict[str, Any]:
    app = AppTest.from_function(page, kwargs={"permissions": permissions, "version": version}).run()
    assert not app.exception
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


@pytest.mark.parametrize("right", ["can_edit", "can_add", "can_delete", "can_configure"])
def test_a_viewers_grid_is_told_to_offer_nothing(right: str) -> None:
    assert given(["rows:see"])[right] is False


def test_an_editors_grid_offers_rows_but_no_columns() -> None:
    data = given(EDITOR)
    assert (data["can_edit"], data["can_add"], data["can_delete"], data["can_configure"]) == (True, True, True, False)


def test_the_newest_version_goes_along_as_the_safety_net() -> None:
    assert given(EDITOR)["version"] == 3
    assert given(EDITOR, version=9)["version"] == 9


def test_a_layout_with_gaps_is_filled() -> None:
    assert given(EDITOR)["layout"] == DEFAULT_LAYOUT | {"hidden": [4]}


def test_each_column_comes_with_the_traits_of_its_type() -> None:
    (column,) = given(EDITOR)["columns"]
    filters = column.pop("filters")
    assert column == {"id": 1, "name": "Owner", "type": "person"} | TYPES["person"].grid_traits()
    assert column["ids_of"] == "people"
    assert filters[0] == {"op": "is_any_of", "label": "is any of", "takes": "many"}
