"""Whatever core reads of rows or of the change log passes the gate of core.access, in the statement that reads it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [*(ROOT / "core").rglob("*.py"), *(ROOT / "api").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
SOURCES += [ROOT / "app.py", ROOT / "manage.py", ROOT / "serve.py"]
# However they are written: in any case, with a schema or quotes, alone or in a list of tables.
READS = re.compile(
    r"""\b(FROM|JOIN|UPDATE|USING)\s+([\w\s.",]+,\s*)?(ONLY\s+)?("?public"?\s*\.\s*)?"?(rows|narrow_rows|changes|logged_lines|moved_cells)"?(?!\w)""",
    re.IGNORECASE,
)
SQL = re.compile(r"\b(SELECT|UPDATE|DELETE|INSERT|JOIN|USING)\b", re.IGNORECASE)
TABLES = {"Row", "Change", "narrow_rows"}
# A statement may also be over the rows that are quickest to read: core.rows.row_source.
ORIGINS = {"origin", "ROWS", "NARROW"}
GATES_IN_TEXT = {"scope_sql", "visible_sql"}
GATE_METHODS = {"rows_in_scope", "visible_rows", "visible_narrow_rows", "visible"}
GATES = {"conditions"} | GATES_IN_TEXT | GATE_METHODS
# Statements that need not name a gate, and why. Any other that reads rows or changes without one fails the test.
EXEMPT = {
    "core/rows/row_source.py:NARROW": "is the source of rows of statements that pass the gate",
    "core/computed/column_facts.py:column_fact": "is a part of statements over rows that pass the gate",
    "core/computed/column_facts.py:first_cell": "is a part of statements over rows that pass the gate",
    "core/computed/stage_meanings.py:_MEANINGS": "finds the moment of a version, and nothing of what was written in it",
    "core/rows/prepared.py:_as_clause": "is a part of statements over rows that pass the gate",
    "core/computed/row_facts.py:_line_cell": "is a part of statements over rows that pass the gate",
    "core/edits/conflicts.py:_MOVED_CELLS": "tells who changed rows that the transaction has read through the gate",
    "core/rows/as_of.py:_MOMENT": "finds the moment of a version, and nothing of what was written in it",
    "core/rows/as_of.py:_AT": "finds the number of a version, and nothing of what was written in it",
    "core/history/diff.py:_PAGE": "begins with _DIFFERENCES, which passes the gate",
    "core/edits/undo_stack.py:_DONE": "counts what this person did themselves, and nothing of what it says",
    "core/edits/unique.py:_rows_with": "no value may occur twice, seen or not; it names no row that is not seen",
    "core/imports/duplicates.py:refuse_duplicates": "no value may occur twice; it shows only values of the file",
    "core/rows/row_source.py:_day_added": "is a part of statements over rows that pass the gate",
}


def ungated(source: str) -> Iterator[str]:
    """The names of statements and functions that read rows or changes without naming a gate."""
    tree = ast.parse(source)
    known_tables = tables(tree)
    for name, node in named(tree):
        texts = [written(part) for part in ast.walk(node) if isinstance(part, TEXTS)]
        is_text = any(READS.search(text) and SQL.search(text) for text in texts)
        if (is_text or selects(node, known_tables)) and not GATES & names(node):
            yield name


@cache
def ungated_in_product() -> frozenset[str]:
    """The ungated names of all modules, each with the path of its module."""
    return frozenset(f"{path.relative_to(ROOT)}:{name}" for path in SOURCES for name in ungated(path.read_text()))


COMPOSES = {"select", "update", "exists"}
TEXTS = (ast.Constant, ast.JoinedStr)


def named(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Every function, and every assignment and expression outside of functions, with what it is called."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = {id(part) for function in functions for part in ast.walk(function)}
    yield from ((function.name, function) for function in functions)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr) and id(node) not in inside:
            targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
            yield (targets[0].id if isinstance(targets[0], ast.Name) else f"line {node.lineno}"), node


def written(node: ast.AST) -> str:
    """The constant text of a string or f-string."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))


def tables(tree: ast.Module) -> set[str]:
    """By which names a module knows the tables: its own for them, or whatever it calls the module that has them."""
    known = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "db.tables.sheets":
            known |= {alias.asname or alias.name for alias in node.names if alias.name in TABLES}
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module in {"db", "db.tables"}):
            names = [alias for alias in node.names if alias.name in {"db.tables.sheets", "tables", "sheets"}]
            known |= {alias.asname or alias.name.partition(".")[0] for alias in names}
    return known


def selects(node: ast.AST, tables: set[str]) -> bool:
    """Whether this composes a statement over one of the tables, or asks for one of their lines."""
    calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
    composed = any(isinstance(call.func, ast.Name) and call.func.id in COMPOSES for call in calls)
    asked = any(root(arg) in tables for call in calls for arg in call.args)
    return asked or bool(composed and (tables | ORIGINS) & names(node))


def root(node: ast.AST) -> str:
    """The name of what is handed over whole: of `Row`, or of the module in `tables.Row`."""
    while isinstance(node, ast.Attribute) and node.attr in {*TABLES, "tables", "sheets"}:
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def ungated_aliases(source: str) -> Iterator[str]:
    """The statements with an alias of `rows` that passes no gate, and the alias: each needs a gate of its own."""
    for name, node in named(ast.parse(source)):
        calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
        texts = [written(part) for part in ast.walk(node) if isinstance(part, TEXTS)]
        in_text = {alias for text in texts if "FROM" in text for alias in ALIASES.findall(text)}
        gated = {written(call.args[0]) for call in calls if called(call) in GATES_IN_TEXT and call.args}
        yield from (f"{name} {alias}" for alias in sorted(in_text - gated))
        assigned = {
            target.id
            for part in ast.walk(node)
            if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call) and called(part.value) == "aliased"
            for target in part.targets
            if isinstance(target, ast.Name)
        }
        passed = {root(arg) for call in calls if called(call) in GATE_METHODS for arg in call.args}
        yield from (f"{name} {alias}" for alias in sorted(assigned - passed))


ALIASES = re.compile(r"(?:\b(?:FROM|JOIN|USING)|,)\s+rows\s+(?:AS\s+)?(?!ON\b|WHERE\b|USING\b)(\w+)")


def called(call: ast.Call) -> str:
    """The name of the function or method that is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def names(node: ast.AST) -> set[str]:
    parts = list(ast.walk(node))
    attributes = {part.attr for part in parts if isinstance(part, ast.Attribute)}
    return {part.id for part in parts if isinstance(part, ast.Name)} | attributes & (ORIGINS | GATE_METHODS)


def test_rows_and_the_log_are_read_only_through_the_gate() -> None:
    assert len(SOURCES) > 100
    assert sorted(ungated_in_product() - set(EXEMPT)) == []


def test_every_alias_of_rows_passes_a_gate_of_its_own() -> None:
    found = {f"{path.relative_to(ROOT)}:{line}" for path in SOURCES for line in ungated_aliases(path.read_text())}
    assert {line for line in found if line.partition(" ")[0] not in EXEMPT} == set()


@pytest.mark.parametrize(
    ("source", "ungated"),
    [
        ("_S = text(f\"SELECT 1 FROM rows d JOIN rows a ON true WHERE {visible_sql('d')}\")", ["_S a"]),
        ("_S = text(f\"SELECT 1 FROM rows d, rows a WHERE {scope_sql('d')} AND {scope_sql('a', 'a_')}\")", []),
        ("_S = text(f\"SELECT 1 FROM rows d, rows a WHERE {scope_sql('a')}\")", ["_S d"]),
        ("def ids(gate):\n    a = aliased(Row)\n    return select(a.row_id).where(gate.visible_rows())", ["ids a"]),
        ("def ids(gate):\n    a = aliased(Row)\n    return select(a.row_id).where(gate.visible_rows(a))", []),
    ],
)
def test_a_second_alias_needs_a_second_gate(source: str, ungated: list[str]) -> None:
    assert list(ungated_aliases(source)) == ungated


def test_every_exemption_is_still_needed() -> None:
    assert set(EXEMPT) - ungated_in_product() == set()


@pytest.mark.parametrize(
    "source",
    [
        '_LINES = text("SELECT 1 FROM changes c WHERE c.sheet_id = :sheet")',
        '_LINES = text(f"SELECT 1 FROM rows r WHERE {MINE}")',
        'def lines(session):\n    return session.execute("SELECT 1 FROM sheets s JOIN rows r USING (sheet_id)")',
        '_LINES = text("select r.values from rows r where r.sheet_id = :sheet")',
        '_LINES = text("SELECT 1 FROM public.changes")',
        "_LINES = text('SELECT 1 FROM \"rows\"')",
        '_LINES = text("SELECT r.values FROM sheets s, rows r WHERE s.sheet_id = r.sheet_id")',
        "from db.tables import sheets as t\ndef lines(session):\n    return session.query(t.Row).all()",
        "from db import tables as t\ndef lines(session):\n    return session.query(t.sheets.Row).all()",
        "import db.tables.sheets\ndef lines(session):\n    return session.get(db.tables.sheets.Change, 1)",
        "from db.tables.sheets import Row as R\ndef lines(session):\n    return session.scalars(select(R.values))",
        "from db.tables.sheets import Change\ndef lines(session):\n    return session.scalars(select(Change.version))",
        "from db.tables.sheets import Row\ndef one(session):\n    return session.get(Row, (1, 1))",
        "def ids(origin):\n    return select(origin.row_id)",
        "def count(pipeline):\n    return select(func.count()).select_from(pipeline.origin.table)",
        "from db.tables.sheets import narrow_rows\ndef ids(sheet):\n    return select(narrow_rows.c.row_id)",
        '_IDS = text("SELECT row_id FROM narrow_rows WHERE sheet_id = :sheet")',
        "from db.tables.sheets import Row\nclass Kept:\n    asked = select(Row.values)",
    ],
)
def test_a_statement_around_the_gate_is_found(source: str) -> None:
    assert list(ungated(source))


@pytest.mark.parametrize(
    "source",
    [
        "_LINES = text(f\"SELECT 1 FROM changes c JOIN rows r USING (sheet_id, row_id) WHERE {scope_sql('r')}\")",
        "from db.tables.sheets import Row\ndef ids(gate):\n    return select(Row.row_id).where(gate.visible_rows())",
        "from core.edits.operation import Change\ndef at(change: Change):\n    return select(Sheet.version)",
        '_USERS = text("SELECT name FROM users")',
    ],
)
def test_a_statement_through_the_gate_is_not(source: str) -> None:
    assert not list(ungated(source))
