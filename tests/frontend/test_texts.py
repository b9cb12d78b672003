"""What the grid's editor and clipboard show is read by core as the value that it was: both languages in one test."""

import json
import random
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.column_types.base import Draft, Option, PeopleDirectory, References
from core.column_types import column_type
from core.column_types.number_text import FORMATS
from core.base.errors import Invalid
from core.base.exact_json import decimal_text, to_wire

SOURCE = Path(__file__).parents[2] / "frontend"
pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and (SOURCE / "node_modules" / "esbuild").exists()),
    reason="the packages of the grid are not installed",
)
PEOPLE = {"1": "Ann Lee", "2": "Ben Ray"}
REFERENCES = References(lambda: PeopleDirectory(PEOPLE))
OPTIONS = [Option("o1", "Red"), Option("o2", "Blue, dark"), Option("o3", 'the "third"')]
SCRIPT = """
import { build } from "esbuild";
const { outputFiles } = await build({ entryPoints: ["sheet/src/format.ts"], bundle: true, format: "esm", write: false });
const grid = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
const { cells, people } = JSON.parse(await new Response(process.stdin).text());
const context = { people, formats: { locale: "de", date: "DD.MM.YYYY", time_zone: "UTC" } };
const texts = ({ value, column }) => ["editorText", "plainText"].map((name) => grid[name](value, column, context));
console.log(JSON.stringify(cells.map(texts)));
"""


def columns() -> list[Draft]:
    """A column of every type, and of every format where there are formats."""
    numbers = [
        Draft(name, {"number_format": number_format} if number_format else {})
        for name in ("number", "money", "percent")
        for number_format in (None, *FORMATS)
    ]
    dates = [
        Draft("date", {"date_order": order} if order else {}) for order in (None, "day first", "month first")
    ] + [Draft("datetime", {"time_zone": zone}) for zone in ("UTC", "Europe/Berlin", "America/St_Johns")]
    choices = [Draft(name, {}, OPTIONS) for name in ("choice", "choices")]
    others = ("text", "long_text", "checkbox", "link", "email", "phone", "person")
    return [*numbers, *dates, *choices, *(Draft(name, {}) for name in others)]


def values(column: Draft, chance: random.Random) -> list[Any]:
    """Values that such a column can hold."""
    match column.type:
        case "number" | "money" | "percent":
            places = [chance.randrange(11) for _ in range(30)] + [3] * 30
            return [Decimal(chance.randrange(-(10**9), 10**9)).scaleb(-place) for place in places]
        case "date":
            return ["2026-03-04", "1999-12-31", "1900-01-01"]
        case "datetime":
            return [f"2026-{chance.randrange(1, 13):02}-25T{chance.randrange(24):02}:30:00Z" for _ in range(40)] + [
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:30:00Z",
                "2026-07-01T08:00:30Z",
            ]
        case "choice":
            return [option.id for option in OPTIONS]
        case "choices":
            return [["o1"], ["o2"], ["o1", "o2", "o3"]]
        case "checkbox":
            return [True, False]
        case "person":
            return [*PEOPLE]
        case "link":
            return ["https://example.com/a?b=1,5"]
        case "email":
            return ["ann@example.com"]
        case "phone":
            return ["+49 89 123-456"]
    return ['"quoted"', "1.085", "two  spaces", "=1+1"]


def test_the_text_that_the_grid_shows_of_any_value_is_that_value_to_its_column() -> None:
    chance = random.Random(20260107)  # noqa: S311 - not for secrets.
    cells = [(column, value) for column in columns() for value in values(column, chance)]
    shown = texts(cells)
    assert len(shown) == len(cells)
    for (column, value), written in zip(cells, shown, strict=True):
        for text in written:
            assert column_type(column.type).parse(text, column, REFERENCES) == value, (column, value, text)


def test_a_number_that_is_copied_is_the_same_number_to_every_column_that_takes_it() -> None:
    chance = random.Random(20260108)  # noqa: S311
    numeric = [column for column in columns() if column.type in {"number", "money", "percent"}]
    cells = [(column, value) for column in numeric for value in values(column, chance)]
    for (_, value), (_, copied) in zip(cells, texts(cells), strict=True):
        for target in [*numeric, Draft("number", {"decimals": 2})]:
            try:
                read = column_type(target.type).parse(copied, target, REFERENCES)
            except Invalid as refused:
                assert "too many decimals" in refused.message  # noqa: PT017 - both outcomes are right.
            else:
                assert read == value, (target, value, copied)


def texts(cells: list[tuple[Draft, Any]]) -> list[list[str]]:
    """What the grid's own code makes of them: the text of the editor and that of the clipboard."""
    given = [
        {
            "value": decimal_text(value) if isinstance(value, Decimal) else to_wire(value),
            "column": {
                "id": 1,
                "name": column.type,
                "type": column.type,
                "rules": dict(column.rules),
                **column_type(column.type).grid_traits(),
                "options": [{"id": option.id, "label": option.label} for option in column.options],
            },
        }
        for column, value in cells
    ]
    done = subprocess.run(
        ["node", "--input-type=module", "-e", SCRIPT],  # noqa: S607
        input=json.dumps({"cells": given, "people": PEOPLE}),
        cwd=SOURCE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
