"""Logs: one JSON object a line, and neither what people typed nor a secret in it."""

import json
import logging
from collections.abc import Iterator

import pytest

from core.base.logs import configure_logs, get_log


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_json_object_whatever_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    get_log("test").info("said", name="two\nlines\u2028and more")
    (line,) = lines(capsys)
    assert line["event"] == "said"
    assert line["name"] == "two\nlines\u2028and more"
    assert {"level", "timestamp", "logger"} <= set(line)


def test_a_secret_that_is_logged_by_mistake_is_removed(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    get_log("test").info("said", password="p1", access_token="t1", Cookie="c1", values={"3": "v1"}, sheet=5)
    (line,) = lines(capsys)
    assert line["sheet"] == 5
    assert not {"p1", "t1", "c1"} & {str(value) for value in line.values()}
    assert "v1" not in json.dumps(line)


def test_an_error_is_told_by_kind_and_place_never_by_message(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    try:
        int("Acme Ltd owes 300")
    except ValueError:
        logging.getLogger("library").exception("failed")
        get_log("ours").exception("failed too")
    for line in lines(capsys):
        assert line["error"] == "ValueError"
        assert "test_logs.py" in str(line["at"])
        assert "Acme" not in json.dumps(line)


def test_below_the_level_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("warning")
    get_log("test").info("said")
    assert lines(capsys) == []
