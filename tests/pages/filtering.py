"""The view bar of a sheet's page, as a person uses it: popovers, the fields of a filter, and its chips."""

from typing import Any

from streamlit.testing.v1 import AppTest

from tests.pages.opened import fine, press


def open_editor(page: AppTest, name: str = "filter") -> AppTest:
    """Open the popover of the filter, or of the sort."""
    sheet = next(field.key for field in page.text_input if (field.key or "").startswith("search_"))[len("search_") :]
    page.session_state[f"view_{sheet}_{name}"] = True
    return fine(page.run())


def open_chip(page: AppTest, text: str) -> AppTest:
    """Open the editor of a chip."""
    block = next(block for block in page.get("popover") if block.proto.popover.label == text)
    page.session_state[block.proto.id.split("-", 2)[-1]] = True
    return fine(page.run())


def add_filter(page: AppTest, column: int, op: str, *values: Any) -> AppTest:
    """Add a condition in the filter's popover."""
    page = press(open_editor(page), "Add condition")
    page = choose(page, "Column", column)
    page = choose(page, "Condition", op)
    labels = (
        ("From", "To") if len(values) == 2 else ("Values",) if values and isinstance(values[0], list) else ("Value",)
    )
    for label, value in zip(labels, values, strict=False):
        page = choose(page, label, value)
    return page


def choose(page: AppTest, label: str, value: Any) -> AppTest:
    """Put a value into the last field of this label."""
    fields(page, label)[-1].set_value(value)
    return fine(page.run())


def fields(page: AppTest, label: str) -> list[Any]:
    """The fields of the open editors with this label."""
    every = [*page.selectbox, *page.multiselect, *page.text_input, *page.date_input, *page.number_input]
    return [field for field in every if field.label == label and (field.key or "").startswith("view_")]


def chips(page: AppTest) -> list[str]:
    """What filters and sorts, as the chips say it."""
    popovers = [
        block.proto.popover for block in page.get("popover") if "_chip_" in block.proto.id or "chip_" in block.proto.id
    ]
    return [popover.label for popover in popovers]
