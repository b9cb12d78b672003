"""Every figure, each beside raw PostgreSQL in the same run: `make bench`. Nothing here is a test."""

import sys

from tests.bench import (
    bench_api,
    bench_browser,
    bench_dashboard,
    bench_filters,
    bench_formulas,
    bench_idle,
    bench_import,
    bench_statements,
)

PARTS = {
    "import": bench_import.main,
    "api": bench_api.main,
    "filters": bench_filters.main,
    "formulas": bench_formulas.main,
    "browser": bench_browser.main,
    "dashboard": bench_dashboard.main,
    "idle": bench_idle.main,
    "statements": bench_statements.main,
}


def main(names: list[str]) -> None:
    """The named parts, or all."""
    for name in names or PARTS:
        sys.stdout.write(f"— {name}\n")
        sys.stdout.flush()
        PARTS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
