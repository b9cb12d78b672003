"""Which module may import which, and other rules of the code that a reader should be able to trust."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"app", "api", "core", "db", "pages", "manage", "tests"}
# The packages of core, each above those that it may import. A new package needs a line here.
LEVELS = {
    "base": 0,
    "config": 0,
    "column_types": 1,
    "jobs": 1,
    "limits": 1,
    "mail": 1,
    "credentials": 2,
    "formulas": 2,
    "workspace": 2,
    "accounts": 3,
    "access": 4,
    "sign_in": 4,
    "audit": 5,
    "comments": 5,
    "computed": 5,
    "notifications": 5,
    "presence": 5,
    "sharing": 5,
    "rows": 6,
    "sheets": 6,
    "admin": 7,
    "history": 7,
    "pipeline": 7,
    "views": 7,
    "edits": 8,
    "exports": 8,
    "copies": 9,
    "demo": 9,
    "imports": 9,
    "background": 10,
}
API_LEVELS = {"http": 0, "auth": 1, "live": 2, "v1": 3, "middleware": 0}
COMPONENT_LEVELS = {
    "app": 0,
    "download": 0,
    "grid": 0,
    "row": 1,
    "sharing": 1,
    "sign_in": 1,
    "imports": 1,
    "dashboard": 1,
    "account": 2,
    "admin": 1,
    "as_of": 1,
    "sheet": 2,
    "public_link": 3,
}


def modules(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return [path for path in found if "versions" not in path.parts and "node_modules" not in path.parts]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return names


def strays(folder: str, allowed: tuple[str, ...], forbidden: tuple[str, ...] = ()) -> list[str]:
    """Imports of `folder` from our own packages outside `allowed`, or from `forbidden` libraries."""
    wrong = []
    for path in modules(folder):
        for name in imported(path):
            top = name.split(".")[0]
            if name.startswith("streamlit.proto"):  # The middleware reads a browser's message to judge it.
                continue
            ours = top in OURS and not name.startswith(allowed) and name not in {part.split(".")[0] for part in allowed}
            if ours or top in forbidden:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    return wrong


def test_db_imports_nothing_of_ours() -> None:
    assert strays("db", ("db",), ("streamlit", "fastapi", "starlette")) == []


def test_core_knows_neither_streamlit_nor_fastapi() -> None:
    assert strays("core", ("core", "db"), ("streamlit", "fastapi", "starlette", "plotly")) == []


def test_the_api_is_thin_over_core() -> None:
    assert strays("api", ("api", "core", "db"), ("streamlit", "plotly")) == []


def test_pages_reach_the_database_only_through_core() -> None:
    assert strays("pages", ("pages", "core", "db.engine", "db.disk"), ("sqlalchemy", "psycopg", "fastapi")) == []


def test_pages_import_components_and_never_each_other() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("pages")
        for name in imported(path)
        if name.startswith("pages.") and not name.startswith("pages.components")
    ]
    assert wrong == []


def test_no_page_file_stands_beside_the_script() -> None:
    """Beside the script Streamlit would run a page without the sign-in gate on the first deep link."""
    assert [path.name for path in (ROOT / "pages").glob("*.py")] == ["main.py"]


def test_no_page_puts_a_file_at_an_address_that_opens_to_everybody() -> None:
    """What Streamlit serves under /media asks nobody who they are."""
    open_to_all = {"download_button", "image", "audio", "video", "logo", "pdf"}
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.attr}"
        for path in modules("pages")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in open_to_all
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("folder", "levels"), [("core", LEVELS), ("api", API_LEVELS), ("pages/components", COMPONENT_LEVELS)]
)
def test_a_package_imports_only_packages_below_it(folder: str, levels: dict[str, int]) -> None:
    depth = len(folder.split("/"))
    packages = {path.name for path in (ROOT / folder).iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    assert packages == set(levels)
    wrong = []
    for path in modules(folder):
        package = path.relative_to(ROOT / folder).parts[0]
        for name in imported(path) if package in levels else ():
            parts = name.split(".")
            other = parts[depth] if parts[:depth] == folder.split("/") and len(parts) > depth else package
            if other != package and levels.get(other, -1) >= levels[package]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_core_has_packages_and_no_loose_modules() -> None:
    assert [path.name for path in (ROOT / "core").glob("*.py")] == ["__init__.py"]


def test_modules_import_each_other_in_no_circle() -> None:
    paths = {path.relative_to(ROOT).with_suffix("").parts: path for path in modules("core", "db", "api", "pages")}
    files = {".".join(parts).removesuffix(".__init__"): path for parts, path in paths.items()}
    uses = {
        name: {other for other in imported(path) if other in files and other != name} for name, path in files.items()
    }
    # An import of a module names its package too, and needs nothing that the package itself defines.
    uses = {
        name: {o for o in others if not any(x.startswith(f"{o}.") for x in others)} for name, others in uses.items()
    }
    while free := {name for name, others in uses.items() if not others & uses.keys()}:
        uses = {name: others for name, others in uses.items() if name not in free}
    assert uses == {}


def test_no_module_only_passes_names_on() -> None:
    """Each name is imported from the module that defines it."""
    wrong = []
    for path in modules("core", "db", "api", "pages"):
        body = [node for node in ast.parse(path.read_text()).body if not isinstance(node, ast.Expr)]
        passes = body and all(isinstance(node, ast.Import | ast.ImportFrom | ast.Assign) for node in body)
        names = {
            target.id
            for node in body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        if passes and names <= {"__all__"}:
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_what_a_stranger_is_shown_loads_no_dataframes() -> None:
    """Pandas takes seventy megabytes and half a second of the first page, and only a few pages need it."""
    found: list[Path] = [ROOT / "pages" / "main.py"]
    seen: set[Path] = set()
    while found:
        path = found.pop()
        seen.add(path)
        names = imported(path)
        assert not {name for name in names if name.partition(".")[0] == "pandas"}, path.relative_to(ROOT)
        files = {ROOT / f"{name.replace('.', '/')}.py" for name in names if name.startswith("pages.")}
        found += [file for file in files if file.exists() and file not in seen]


def test_nothing_in_core_commits() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules("core")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "rollback"}
    ]
    assert wrong == []


def test_every_module_opens_with_a_line_that_says_what_it_is_for() -> None:
    bare = [str(path.relative_to(ROOT)) for path in modules("core", "db", "api", "pages") if not documented(path)]
    assert bare == []


def documented(path: Path) -> bool:
    return not path.read_text().strip() or ast.get_docstring(ast.parse(path.read_text())) is not None


def test_every_exemption_from_a_security_rule_has_its_reason() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*modules("core", "db", "api", "pages"), *ROOT.glob("*.py")]
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"#\s*noqa: (?:[A-Z]+[0-9]+, ?)*S[0-9]{3}[\s\-A-Z0-9,]*$", line)
    ]
    assert bare == []


PINNED = re.compile(r"[a-z0-9][a-z0-9.\-]*(\[[a-z0-9,]+\])?==[0-9][0-9a-z.+!]*( ; .+)?")


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_every_requirement_is_pinned(name: str) -> None:
    """To one exact version each, with everything that it needs in turn; and what we name is among them."""
    pinned = wanted(f"{name}.txt")
    assert [line for line in pinned if not PINNED.fullmatch(line)] == []
    versions = {line.partition("==")[0].partition("[")[0] for line in pinned}
    assert {line.partition("[")[0].lower() for line in wanted(f"{name}.in")} <= versions


def wanted(name: str) -> list[str]:
    lines = [line.strip() for line in (ROOT / name).read_text().splitlines()]
    return [line for line in lines if line and not line.startswith(("#", "-"))]
