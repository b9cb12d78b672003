"""The committed bundle of the grid is what its source builds, and its own tests hold. Needs Node; skipped without."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pages.components.grid import DIST, script

SOURCE = Path(__file__).parents[2] / "frontend"
HAS_NODE = all(shutil.which(tool) for tool in ("node", "npm"))
needs_node = pytest.mark.skipif(not HAS_NODE, reason="Node is not installed: the committed bundle is used as it is")


@pytest.fixture(scope="module")
def packages() -> None:
    """The pinned packages, installed from the lock file where they are not there yet."""
    if (SOURCE / "node_modules" / "esbuild").exists():
        return
    done = run("npm", "ci", "--no-audit", "--no-fund")
    if done.returncode:
        pytest.skip("the packages of the frontend could not be installed: is there a network?")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, timeout=300, check=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@needs_node
@pytest.mark.slow
def test_the_committed_bundle_is_what_the_source_builds(packages: None, tmp_path: Path) -> None:
    done = run("node", "build.mjs", tmp_path / "dist")
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "dist") == contents(DIST), "Run `npm run build` in frontend and commit the result."


@needs_node
@pytest.mark.slow
def test_the_types_of_the_source_are_sound(packages: None) -> None:
    done = run("npm", "run", "check")
    assert done.returncode == 0, done.stdout


@needs_node
@pytest.mark.slow
def test_the_tests_of_the_grid_hold(packages: None) -> None:
    done = run("node", "test.mjs")
    assert done.returncode == 0, done.stdout[-4000:]


def test_the_bundle_names_its_style_sheet_and_nothing_of_another_host() -> None:
    text = (DIST / script()).read_text()
    (style,) = DIST.glob("grid.*.css")
    assert style.name in text
    assert "eval(" not in text
    assert "@import" not in style.read_text()


def test_every_package_in_the_bundle_comes_with_its_licence() -> None:
    words = (DIST / "THIRD-PARTY-LICENCES.txt").read_text()
    for package in ("@glideapps/glide-data-grid 6.0.3", "react 18", "react-dom 18", "lodash"):
        assert f"=== {package}" in words
