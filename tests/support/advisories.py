"""Asks an advisory service about every pinned requirement: `make audit`. Where none answers, nothing was checked.

Ends with 0 where nothing is known against any of them, with 1 where something is, and with 2 where nobody could say.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILES = ("requirements.txt", "requirements-dev.txt")
SERVICES = ("pypi", "osv")


def main(arguments: list[str]) -> int:
    """Try each service in turn; the first that answers for all of them decides."""
    reasons = []
    for service in SERVICES:
        found, reason = audited(service, arguments)
        if found is not None:
            return tell(found)
        reasons.append(f"  {service}: {reason}")
    print("Not checked: no advisory service answered for every requirement.", *reasons, sep="\n")
    return 2


def audited(service: str, arguments: list[str]) -> tuple[list[dict[str, Any]] | None, str]:
    """What the service knows of each requirement; or None, and the reason."""
    files = [part for name in FILES for part in ("-r", str(ROOT / name))]
    options = ["--strict", "--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, *options, *files, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return None, (done.stderr.strip().splitlines() or ["it said nothing"])[-1][:300]
    return found, ""


def tell(found: list[dict[str, Any]]) -> int:
    bad = [(one, what) for one in found for what in one.get("vulns", [])]
    for one, what in bad:
        mended = ", ".join(what["fix_versions"]) or "no version yet"
        print(f"{one['name']} {one['version']}: {what['id']}, mended in {mended}")
    print(f"{len(found)} requirements checked, {len(bad)} known vulnerabilities.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
