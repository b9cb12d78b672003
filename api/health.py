"""Health checks: live if the process answers; ready if the database also answers and has the expected schema."""

import structlog
from fastapi import APIRouter, Response
from sqlalchemy.exc import SQLAlchemyError

from api.http.responses import answer
from db import disk
from db.engine import Busy, transaction
from db.migrate import current_revision, expected_revision

router = APIRouter(prefix="/health", tags=["Health"])


@router.get("/live", summary="The process answers")
async def live() -> Response:
    """It uses neither the database nor a thread."""
    return answer({"status": "live"})


@router.get("/ready", summary="The server can work")
def ready() -> Response:
    """The database answers and has the schema that this version expects; otherwise 503 with the reason.

    A full disk is only a warning, because reads still work.
    """
    try:
        with transaction() as session:
            revision = current_revision(session.connection())
    except (SQLAlchemyError, Busy) as error:
        structlog.get_logger().warning("health.not_ready", reason=type(error).__name__)
        return answer({"status": "not ready", "reason": disk.reason("The database does not answer.")}, 503)
    if revision != expected_revision():
        return answer({"status": "not ready", "reason": "The database has another schema version."}, 503)
    warning = {"warning": disk.FULL} if disk.is_full() else {}
    return answer({"status": "ready", "schema": revision, **warning})
