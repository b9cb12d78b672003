"""The catalogue of abuse is whole, and every test that it names exists."""

import ast
import re
from functools import cache
from pathlib import Path

from tests.support.catalogue import CATALOGUE

TESTS = Path(__file__).parent
DOCUMENT = TESTS.parent / "docs" / "security.md"


@cache
def functions_in(file: str) -> frozenset[str]:
    path = TESTS / file
    found = ast.walk(ast.parse(path.read_text())) if path.is_file() else ()
    return frozenset(node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def exists(test: str) -> bool:
    file, _, name = test.partition("::")
    return name in functions_in(file)


def test_every_case_of_the_catalogue_is_shown_or_says_what_is_to_come() -> None:
    assert [*CATALOGUE] == [*range(1, 66)]
    assert [number for number, case in CATALOGUE.items() if not case.tests and not case.to_come] == []


def test_every_test_that_the_catalogue_names_exists() -> None:
    assert [(number, test) for number, case in CATALOGUE.items() for test in case.tests if not exists(test)] == []


def test_every_test_that_the_document_names_exists() -> None:
    named = re.findall(r"`tests/([\w/]+\.py)::(\w+)`", DOCUMENT.read_text())
    assert len(named) > 10
    assert [f"{file}::{test}" for file, test in named if test not in functions_in(file)] == []


def test_the_document_says_what_is_to_come() -> None:
    """Whoever reads it is promised nothing that no test shows."""
    told = " ".join(DOCUMENT.read_text().split())
    assert [number for number, case in CATALOGUE.items() if case.to_come and case.to_come not in told] == []
