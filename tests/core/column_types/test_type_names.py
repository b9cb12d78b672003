"""No code outside core/column_types asks for a column type by its name: it asks for a trait."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.column_types import TYPES

ROOT = Path(__file__).parents[3]
# Names that are words of other things as well: JSON keys, icons, settings. They count only beside a type.
COMMON = {"text", "number", "date", "link", "email", "person"}
SOURCES = [
    *(path for top in ("core", "api", "pages", "db") for path in (ROOT / top).rglob("*.py")),
    *ROOT.glob("*.py"),
]
SCRIPTS = [path for part in ("grid", "sheet") for path in (ROOT / "frontend" / part / "src").rglob("*.ts*")]
# What JavaScript, Intl and HTML name themselves.
OTHER_NAMES = re.compile(r"""typeof \S+|unit: "percent"|\btype="\w+\"""")
QUOTED = re.compile(r"""["'`](\w+)["'`]""")


def names_in_python(source: str) -> Iterator[tuple[int, str]]:
    """The line and the name of each type that the code names."""
    parents = {child: node for node in ast.walk(ast.parse(source)) for child in ast.iter_child_nodes(node)}
    for node, parent in parents.items():
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or node.value not in TYPES:
            continue
        if node.value not in COMMON or is_beside_a_type(node, parent, parents.get(parent)):
            yield node.lineno, node.value


def is_beside_a_type(node: ast.Constant, parent: ast.AST, above: ast.AST | None) -> bool:
    """Whether the text is compared with a type, stands with the names of other types, or is given to what takes one."""
    if any("type" in ast.unparse(one).lower() for one in (parent, above) if isinstance(one, ast.Compare)):
        return True
    if isinstance(parent, ast.Call):
        return ast.unparse(parent.func).split(".")[-1] in {
            "NewColumn",
            "ColumnInfo",
            "Draft",
            "Proposal",
            "column_type",
        }
    if isinstance(parent, ast.Subscript):
        return ast.unparse(parent.value) == "TYPES"
    values = parent.keys if isinstance(parent, ast.Dict) else getattr(parent, "elts", [])
    texts = {value.value for value in values if isinstance(value, ast.Constant)}
    return len(texts & TYPES.keys()) > 1 and node.value in texts


def names_in_typescript(source: str) -> Iterator[tuple[int, str]]:
    """The line and the name of each type that the code names."""
    for number, line in enumerate(source.splitlines(), 1):
        code = OTHER_NAMES.sub("", line)
        for name in QUOTED.findall(code):
            if name in TYPES and (name not in COMMON or re.search(r"\btypes?\b", code)):
                yield number, name


def test_no_python_names_a_type() -> None:
    assert SOURCES
    wrong = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in SOURCES
        if "column_types" not in path.parts and "versions" not in path.parts
        for line, name in names_in_python(path.read_text())
    ]
    assert wrong == []


def test_no_typescript_names_a_type() -> None:
    assert SCRIPTS
    wrong = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in SCRIPTS
        for line, name in names_in_typescript(path.read_text())
    ]
    assert wrong == []


@pytest.mark.parametrize("name", TYPES)
def test_each_type_is_found_where_code_names_it(name: str) -> None:
    for code in (
        f"column.type == {name!r}",
        f"TYPES[{name!r}]",
        f"column_type({name!r})",
        f"NewColumn('Name', {name!r})",
        f"kind in {{{name!r}, 'percent', 'money'}}",
        f"WRITERS = {{{name!r}: str, 'percent': str, 'money': str}}",
    ):
        assert name in {one for _, one in names_in_python(code)}, code
    for code in (f'column.type === "{name}"', f'["{name}"].includes(column.type)'):
        assert name in {one for _, one in names_in_typescript(code)}, code
