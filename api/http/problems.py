"""Problem details (RFC 9457): the format of every error of the API, with a sentence that a person can act on."""

from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from starlette.exceptions import HTTPException

from api.http.etags import PreconditionFailed
from api.http.responses import answer
from core.base.errors import Conflict, Invalid, NotAllowed, NotFound, Refused, Throttled
from core.rows.row_order import OrderExpired
from db import disk
from db.engine import Busy, Unavailable

STATUS: dict[type[Refused], int] = {
    OrderExpired: 410,
    NotFound: 404,
    NotAllowed: 403,
    PreconditionFailed: 412,
    Conflict: 409,
    Throttled: 429,
    Invalid: 422,
}
MAX_DETAIL_CHARACTERS, MAX_KEY_CHARACTERS, MAX_ERRORS = 1000, 100, 20
TITLES = {
    400: "Malformed request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Expired",
    412: "Changed since you read it",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many requests",
    500: "Server error",
    503: "Not available",
}
# Every error in the OpenAPI description.
_PROBLEM = {
    "description": "A problem (RFC 9457). `detail` says what to do.",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                },
            }
        }
    },
}
DESCRIBED: dict[int | str, dict[str, Any]] = {"4XX": _PROBLEM, "503": _PROBLEM}
BUSY = "The server is busy. Try again in a moment."
NO_DATABASE = "The database does not answer. Nothing was changed; try again in a moment."
TOO_LONG = "This request took too long and was stopped. Nothing was changed. Request less at once."
LOCKED = "Another change is in progress. Nothing was changed. Try again in a moment."


def install_problems(app: FastAPI) -> None:
    """Register handlers that answer every error of this app and of core as problem details."""
    for error_type, handler in _HANDLERS.items():
        app.add_exception_handler(error_type, handler)


def problem_of(request: Request, error: Exception) -> Response:
    """The response of these handlers to an error."""
    handler = next(_HANDLERS[error_type] for error_type in type(error).__mro__ if error_type in _HANDLERS)
    return handler(request, error)


def problem(
    status: int, detail: str, facts: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A problem response. Facts are additional members and never replace those of RFC 9457.

    The detail may repeat input, and is shortened so that a request cannot make the response large.
    """
    text = shortened(detail, MAX_DETAIL_CHARACTERS)
    members = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status, "detail": text}
    response = answer({**(facts or {}), **members}, status, dict(headers or {}))
    response.headers["content-type"] = "application/problem+json"
    return response


def shortened(text: str, limit: int) -> str:
    """The text without its middle if it is too long: a sentence ends with what to do."""
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[-(limit // 2 - 1) :]}"


def _refused(_request: Request, error: Exception) -> Response:
    refused = error if isinstance(error, Refused) else Refused(str(error))
    status = next((status for kind, status in STATUS.items() if isinstance(refused, kind)), 422)
    wait = refused.facts.get("retry_after")
    return problem(status, refused.message, refused.facts, {"Retry-After": str(wait)} if wait else None)


def _malformed(_request: Request, error: Exception) -> Response:
    """The response to a request that does not match its schema. The input is not repeated."""
    details = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [
        {
            "place": [shortened(str(key), MAX_KEY_CHARACTERS) for key in error_detail["loc"]],
            "reason": shortened(error_detail["msg"], MAX_DETAIL_CHARACTERS),
        }
        for error_detail in details[:MAX_ERRORS]
    ]
    first = f"{'.'.join(errors[0]['place'])}: {errors[0]['reason']}" if errors else "The request is malformed"
    return problem(422, f"{first}.", {"errors": errors})


def _http(_request: Request, error: Exception) -> Response:
    status, detail, headers = 500, "Error", None
    if isinstance(error, HTTPException):
        status, detail, headers = error.status_code, str(error.detail), error.headers
    facts = getattr(error, "facts", None)
    return problem(status, detail if detail.endswith(".") else f"{detail}.", facts, headers)


def _busy(_request: Request, error: Exception) -> Response:
    return problem(
        503, disk.reason(NO_DATABASE) if isinstance(error, Unavailable) else BUSY, headers={"Retry-After": "1"}
    )


def _database(request: Request, error: Exception) -> Response:
    """503 if the database does not answer or a lock is held too long; any other error is a bug."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, psycopg.errors.LockNotAvailable):
        return problem(503, LOCKED, headers={"Retry-After": "1"})
    if isinstance(cause, psycopg.errors.QueryCanceled):
        return problem(503, TOO_LONG, headers={"Retry-After": "5"})
    if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return problem(503, disk.reason(NO_DATABASE), headers={"Retry-After": "2"})
    return _unexpected(request, error)


def _unexpected(request: Request, error: Exception) -> Response:
    request_id = getattr(request.state, "request_id", "")
    structlog.get_logger().error("api.error", path=request.url.path, exc_info=error)
    return problem(500, "An unexpected error occurred. It has been logged.", {"request": request_id})


_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Response]] = {
    Refused: _refused,
    RequestValidationError: _malformed,
    HTTPException: _http,
    Busy: _busy,
    SQLAlchemyError: _database,
    Exception: _unexpected,
}
