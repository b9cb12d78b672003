"""The table of CONTRIBUTING.md: every path exists, and an example of each row is found in all places that it names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TABLE = [line for line in (ROOT / "CONTRIBUTING.md").read_text().splitlines() if line.startswith("| a")]
# Per row: an example, as the text that each of the row's places contains (a folder: one of its files).
EXAMPLES = {
    "a column type": {
        "core/column_types/": "class Percent",
        "core/column_types/__init__.py": "Percent",
        "frontend/grid/src/editors": "export",
    },
    "a computed column type": {
        "core/column_types/computed.py": "class ChangedAt",
        "core/column_types/__init__.py": "ChangedAt()",
        "core/computed/": "def changed_at(",
        "core/computed/__init__.py": "ChangedAt.name: row_facts.changed_at",
    },
    "a page": {"pages/": "Teams", "pages/components/app/navigation.py": "teams.py"},
    "a permission": {"core/base/permissions.py": "COMMENTS_WRITE"},
    "a command": {
        "core/": "def add_comment(",
        "tests/support/core/sheet_commands.py": "comments.comments.add_comment",
        "tests/support/core/workspace_commands.py": "sharing.teams.create_team",
        "api/v1/": "add_comment(",
    },
    "an audit event": {
        "core/audit/sentences.py": "sheet:comment:add",
        "core/audit/kinds.py": "sheet:comment",
        "tests/core/audit/test_coverage.py": "sheet:comment:add",
    },
    "a figure of the dashboard": {
        "core/pipeline/": "def top_accounts(",
        "core/pipeline/figures.py": '"accounts": Figure(top_accounts)',
        "core/pipeline/figure_types.py": "def accounts(",
        "pages/components/dashboard/chart_grid.py": ".accounts",
    },
    "a table or column of the database": {"db/tables/": "public_links", "db/migrations/versions": "public_links"},
}


def cells(line: str) -> tuple[str, list[str]]:
    _, change, places, _ = line.split("|")
    return change.strip(), [name for name in re.findall(r"`([^`]+)`", places) if "/" in name]


def contains(path: Path, text: str) -> bool:
    sources = (
        [path] if path.is_file() else [file for file in path.rglob("*.*") if file.suffix in {".py", ".ts", ".tsx"}]
    )
    return any(text in source.read_text() for source in sources)


@pytest.mark.parametrize("line", TABLE)
def test_an_example_of_each_row_stands_in_all_its_places(line: str) -> None:
    change, places = cells(line)
    assert places == list(EXAMPLES[change])
    assert [path for path in places if not (ROOT / path).exists()] == []
    assert [path for path, text in EXAMPLES[change].items() if not contains(ROOT / path, text)] == []


def test_every_row_has_an_example() -> None:
    assert [cells(line)[0] for line in TABLE] == list(EXAMPLES)


def test_the_example_of_a_permission_is_required_by_its_command() -> None:
    assert contains(ROOT / "core/comments/comments.py", "Permission.COMMENTS_WRITE")


def test_the_example_of_an_event_is_recorded_by_its_command() -> None:
    assert contains(ROOT / "core/comments/comments.py", 'audit.record(session, actor, "sheet:comment:add"')
