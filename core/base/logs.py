"""Logs: one JSON object per line with a request or run id, without cell values and secrets."""

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
# uvicorn 0.54 logs this for each rejected WebSocket, which our own access log contains already.
REFUSED_SOCKET = "ASGI callable returned without completing handshake."
ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
NOISY = ("uvicorn.error", "uvicorn.access", "watchdog", "alembic", "asyncio", "sqlalchemy")


def configure_logs(level: str) -> None:
    """Send our logs and those of the libraries to standard error in one format."""
    number = logging.getLevelNamesMapping()[level.upper()]
    first_processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last_processors: list[Any] = [without_traceback_values, without_secrets, structlog.processors.JSONRenderer(as_json)]
    # Our own lines bypass the standard library's logging: it would cost more per request than the rest of the
    # middleware together.
    structlog.configure(
        processors=[*first_processors, *last_processors],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_StandardError,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(lambda record: record.msg != REFUSED_SOCKET)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*first_processors, without_ids],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last_processors],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def as_json(event: Any, **_options: Any) -> str:
    """Return the event as one line of ASCII: some log readers split lines at other characters."""
    try:
        line = orjson.dumps(event, default=str)
    except orjson.JSONEncodeError:  # A lone surrogate, or an integer of more than 64 bits.
        return json.dumps(event, default=str)
    return line.decode() if line.isascii() else json.dumps(event, default=str)


class _StandardError:
    """Writes whole lines to the current standard error."""

    def __init__(self, name: str = "contrivance") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        # On a full disk only the log line is lost; the request succeeds.
        with _WRITE_LOCK, suppress(OSError):
            sys.stderr.write(line + "\n")

    debug = info = warning = error = exception = critical = msg


_WRITE_LOCK = Lock()


def without_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of fields that have the name of a secret."""
    for name in event:
        if _is_secret(name):
            event[name] = "[removed]"
    return event


def without_ids(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remove the session ids that Streamlit writes to its logs."""
    event["event"] = ID.sub("[id]", str(event["event"]))
    return event


@lru_cache(maxsize=1000)
def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET_WORDS)


def without_traceback_values(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Log an exception by its class and stack only: its message may contain user input."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, BaseException):
        error = (type(error), error, error.__traceback__)
    if error and error[0]:
        event["error"] = error[0].__name__
        event["at"] = _stack(error[2])
    return event


def _stack(traceback: Any) -> list[str]:
    """Return the innermost frames as file:line function, without source and variables."""
    frames = []
    while traceback:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames[-8:]


def get_log(name: str) -> Any:
    """Return a logger: log.info("event", fact=value)."""
    return structlog.get_logger(name)
