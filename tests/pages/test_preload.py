"""What the server imports before the first page."""

import subprocess
import sys

from pages.components.app.preload import MODULES
from tests.support.server.started import ROOT

SCRIPT = """
import sys
from pages.components.app.preload import preload
before = set(sys.modules)
preload()
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""


def test_the_first_page_is_imported_without_dataframes() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = set(run.stdout.split())
    assert {name.partition(".")[0] for name in MODULES} - {"core", "streamlit"} <= imported
    assert "pandas" not in imported
