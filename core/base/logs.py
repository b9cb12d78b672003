"""Logs: one JSON object a line, with a request or run id, and neither values of cells nor secrets."""

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from functools import lru_cache
from threading import Lock
from typing import Any

import orjson
import structlog

SECRET_WORDS = ("password", "token", "secret", "cookie", "authorization", "dsn", "database_url", "values", "text")
# uvicorn 0.54 says so of each socket that was refused with a status, which our own line tells as well.
REFUSED_SOCKET = "ASGI callable returned without completing handshake."
ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
NOISY = ("uvicorn.error", "uvicorn.access", "watchdog", "alembic", "asyncio", "sqlalchemy")


def configure_logs(level: str) -> None:
    """Send our logs and those of the libraries to standard error, in one form."""
    number = logging.getLevelNamesMapping()[level.upper()]
    begun: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    finished: list[Any] = [without_traceback_values, without_secrets, structlog.processors.JSONRenderer(as_json)]
    # Our own lines do not pass the standard library's logging: there is one for every request, and it would cost more
    # than the rest of the middleware together.
    structlog.configure(
        processors=[*begun, *finished],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_StandardError,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(lambda record: record.msg != REFUSED_SOCKET)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*begun, without_ids],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finished],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def as_json(event: Any, **_options: Any) -> str:
    """The event on one line, in ASCII: some readers take other characters for the end of one."""
    try:
        line = orjson.dumps(event, default=str)
    except orjson.JSONEncodeError:  # Half a character, or a number of more than 64 bits.
        return json.dumps(event, default=str)
    return line.decode() if line.isascii() else json.dumps(event, default=str)


class _StandardError:
    """Writes whole lines to standard error, whatever that is by then."""

    def __init__(self, name: str = "contrivance") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        with (
            _WRITING,
            suppress(OSError),
        ):  # Where the disk is full a line is lost, and not the request that it tells of.
            sys.stderr.write(line + "\n")

    debug = info = warning = error = exception = critical = msg


_WRITING = Lock()


def without_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Whoever logs such a field by mistake logs only that it was there."""
    for name in event:
        if _is_secret(name):
            event[name] = "[removed]"
    return event


def without_ids(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Streamlit names open pages by their ids in what it logs, and such an id is not for others to know."""
    event["event"] = ID.sub("[id]", str(event["event"]))
    return event


@lru_cache(maxsize=1000)
def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET_WORDS)


def without_traceback_values(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An error is told by its kind and its place: its message may hold what somebody typed."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, BaseException):
        error = (type(error), error, error.__traceback__)
    if error and error[0]:
        event["error"] = error[0].__name__
        event["at"] = _place(error[2])
    return event


def _place(traceback: Any) -> list[str]:
    """The innermost frames as file:line function, without source or variables."""
    frames = []
    while traceback:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames[-8:]


def get_log(name: str) -> Any:
    """A logger: log.info("event", fact=value)."""
    return structlog.get_logger(name)
