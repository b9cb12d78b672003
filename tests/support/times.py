"""A pytest plugin that prints where the seconds of a run went: its slowest tests, and the sum of each folder."""

from collections import Counter

import pytest

SLOWEST = 10


class Times:
    """Add up setup, call and teardown of each test, from every worker."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        folders, tests = Counter[str](), Counter[str]()
        for test, seconds in self.seconds.items():
            folders[folder_of(test)] += seconds
            tests[folder_of(test)] += 1
        if len(folders) < 2:
            return
        terminalreporter.section("where the seconds went")
        for test, seconds in self.seconds.most_common(SLOWEST):
            terminalreporter.write_line(f"{seconds:7.1f} s  {test}")
        for folder, seconds in folders.most_common():
            terminalreporter.write_line(f"{seconds:7.1f} s  {folder}: {tests[folder]} tests")
        terminalreporter.write_line(f"{sum(folders.values()):7.1f} s  in all, in every worker")


def folder_of(test: str) -> str:
    """The folder below tests in which a test stands."""
    parts = test.split("::", maxsplit=1)[0].split("/")
    return "/".join(parts[: min(2, len(parts) - 1)])
