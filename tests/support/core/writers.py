"""Which functions of core write to the database, and which of them reach the audit trail, read off the code itself.

A function counts as writing when it, or anything of core that it names, holds a statement that writes.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

import core

ROOT = Path(core.__file__).parent
STATEMENT = re.compile(
    r"\b(INSERT INTO|DELETE FROM|UPDATE \w+( AS)?( \w+)? SET)\b"
    r"|^\s*(UPDATE|TRUNCATE|COPY) \w|\b(apply_batch|next_version|write_edits)\("
)
BUILDERS = {"insert", "update", "delete"}
ADDED = {"add", "add_all", "delete", "merge"}
RECORD = ("core.base.audit", "record")
Known = tuple[str, str]


@dataclass
class Code:
    """A module of core: its functions, its classes' methods, its constants that write, and what its names mean."""

    name: str
    functions: dict[str, list[ast.AST]] = field(default_factory=dict)
    statements: set[str] = field(default_factory=set)
    names: dict[str, Known] = field(default_factory=dict)


def public_writers() -> dict[str, bool]:
    """Every public function that takes a session or the means to open one, and writes: whether it is audited."""
    found = {}
    for code in modules().values():
        for name, parts in code.functions.items():
            if name.startswith("_") or (code.name, name) == RECORD or not _is_command(parts[0]):
                continue
            reached = reach((code.name, name))
            if RECORD in reached or any(writes(one) for one in reached):
                found[f"{code.name.removeprefix('core.')}.{name}"] = RECORD in reached
    return found


def _is_command(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and bool(
        {argument.arg for argument in [*node.args.args, *node.args.kwonlyargs]} & {"session", "transaction", "owner"}
    )


@lru_cache(maxsize=1)
def modules() -> dict[str, Code]:
    return {code.name: code for code in map(_read, sorted(ROOT.rglob("*.py")))}


def _read(path: Path) -> Code:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    code = Code(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("core"):
            code.names |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            code.functions[node.name] = [node]
        elif isinstance(node, ast.Assign | ast.AnnAssign) and _says_to_write(node):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            code.statements |= {target.id for target in targets if isinstance(target, ast.Name)}
    return code


def _says_to_write(node: ast.AST) -> bool:
    texts = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str))
    return any(STATEMENT.search(text) for text in texts)


@cache
def writes(known: Known) -> bool:
    """Whether this function itself holds a statement that writes."""
    code = modules()[known[0]]
    if known == RECORD:
        return False
    return any(_is_writing(node, code) for part in code.functions[known[1]] for node in ast.walk(part))


def _is_writing(node: ast.AST, code: Code) -> bool:
    if isinstance(node, ast.Name):
        return node.id in code.statements
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(STATEMENT.search(node.value))
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    if isinstance(called, ast.Attribute):
        return called.attr in ADDED and isinstance(called.value, ast.Name) and called.value.id == "session"
    return isinstance(called, ast.Name) and called.id in BUILDERS and called.id not in code.functions


def reach(start: Known) -> set[Known]:
    """A function and everything of core that it names, and they name, and so on."""
    seen, waiting = set[Known](), [start]
    while waiting:
        known = waiting.pop()
        if known in seen:
            continue
        seen.add(known)
        waiting += [one for one in _named(known) if one[0] in modules() and one[1] in modules()[one[0]].functions]
    return seen


def _named(known: Known) -> Iterator[Known]:
    code = modules()[known[0]]
    for part in code.functions[known[1]]:
        for node in ast.walk(part):
            if isinstance(node, ast.Name):
                yield code.names.get(node.id, (code.name, node.id))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in code.names:
                yield ".".join(code.names[node.value.id]), node.attr
