"""Faults on purpose: `make faults`. Ends with an error when anything was lost, doubled, silent, torn or left behind.

python -m tests.faults [F1 F2 F3 F7 F12 abuse] [--seconds 30]
"""

import argparse
import asyncio
import sys

from tests.faults.scenarios import SCENARIOS
from tests.faults.scene import scene


def main(arguments: list[str] | None = None) -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("names", nargs="*", choices=[[], *SCENARIOS], default=[])
    asked.add_argument("--seconds", type=float, default=30.0)
    given = asked.parse_args(arguments)
    bad = 0
    for name in given.names or SCENARIOS:
        with scene() as made:
            report = asyncio.run(SCENARIOS[name](made, given.seconds))
        sys.stdout.write(report.said() + "\n")
        sys.stdout.flush()
        bad += not report.is_clean
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
