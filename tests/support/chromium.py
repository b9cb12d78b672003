"""Find a Chromium for the browser tests, or install one, or say what to do: `python tests/support/chromium.py [no]`."""

import os
import shutil
import subprocess
import sys

# The shell is the same engine without the window around it, which nobody looks at and every test would wait for.
SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
MISSING = "no Chromium: run python tests/support/chromium.py, or name one with CHROMIUM="
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


def find() -> str | None:
    """The browser's program: CHROMIUM, one on the path, or Playwright's own."""
    known = [os.environ.get("CHROMIUM"), *(shutil.which(name) for name in NAMES), MAC]
    return next((path for path in known if path and os.access(path, os.X_OK)), None) or _playwrights()


def _playwrights() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.access(path, os.X_OK) else None


def install() -> None:
    """Through the system's package manager where we may, else through Playwright."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        for browser in (SHELL, "chromium"):
            wanted = ["apt-get", "install", "-y", "-qq", browser, "fonts-noto-color-emoji"]
            if subprocess.run(wanted, check=False).returncode == 0:
                break
    if not find():
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> int:
    if sys.argv[1:] == ["no"]:
        print("Browser tests are left out (BROWSER=no).")
        return 0
    if not find():
        print("No Chromium found: installing one …")
        install()
    path = find()
    if path:
        print(f"Browser tests use {path}")
        return 0
    print(
        "The browser tests need Chromium, and it could not be installed. Install it yourself (on Debian and Ubuntu:\n"
        "sudo apt-get install chromium) or name one with CHROMIUM=/path/to/chrome, then run make test again.\n"
        "Everything else runs without it: make test BROWSER=no"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
