"""An import in the background: enqueued with its file and plan, run as the person who enqueued it, once in effect."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.base.actor import Actor, require
from core.base.permissions import Permission
from core.column_types.base import Option
from core.imports.format import FileFormat
from core.imports.load import import_new_sheet, import_rows
from core.imports.plan_types import ColumnPlan, ImportPlan, OnMisfit
from core.jobs.files import open_file, store_file
from core.jobs.job_types import JobType, in_one_transaction
from core.jobs.queue import enqueue
from core.jobs.running_job import JobResult, RunningJob
from core.sheets.columns import NewColumn

KIND = "import"
# Where the worker is killed, its statement must end soon: it holds the lock on the sheet.
_NOTICE_LOST_CLIENT = text("SELECT set_config('client_connection_check_interval', '2s', true)")


@dataclass(frozen=True)
class NewSheet:
    """The sheet that an import makes: its name, and which columns of the file play which part of a pipeline."""

    name: str
    parts: Mapping[str, int] = field(default_factory=dict)


def enqueue_import(session: Session, actor: Actor, target: int | NewSheet, file: BinaryIO, plan: ImportPlan) -> int:
    """Have a file imported into a sheet or a new one, once the transaction has committed; return the job's id.

    Rights are checked now and when the job runs. Raises NotFound and NotAllowed.
    """
    if isinstance(target, NewSheet):
        require(actor, Permission.SHEETS_CREATE)
    else:
        get_access(session, actor, target, *plan.needs)
    payload = {
        "target": target if isinstance(target, int) else asdict(target),
        "plan": _plan_to_json(plan),
        "operation_id": str(uuid4()),
        "address": actor.address,
    }
    job_id = enqueue(session, KIND, payload, user_id=actor.user_id)
    store_file(session, job_id, file)
    return job_id


def _run(session: Session, job: RunningJob) -> JobResult:
    session.execute(_NOTICE_LOST_CLIENT)
    actor, target, plan = job.actor(session), job.payload["target"], _plan_from_json(job.payload["plan"])
    operation_id = UUID(job.payload["operation_id"])
    with open_file(session, job.claim.job_id) as file:
        if isinstance(target, int):
            report = import_rows(session, actor, target, file, plan, operation_id=operation_id, progress=job.progress)
        else:
            report = import_new_sheet(
                session,
                actor,
                target["name"],
                file,
                plan,
                operation_id=operation_id,
                parts=target["parts"],
                progress=job.progress,
            )
    return JobResult(f"{report.rows:,} rows imported.", report.as_json())


IMPORT = JobType(KIND, in_one_transaction(_run), max_attempts=3, is_long=True)


def _plan_to_json(plan: ImportPlan) -> dict[str, Any]:
    return {
        "format": asdict(plan.format),
        "columns": [column.as_json() for column in plan.columns],
        "rows": plan.rows,
        "fills_defaults": plan.fills_defaults,
    }


def _plan_from_json(stored: Mapping[str, Any]) -> ImportPlan:
    columns = tuple(_column_from_json(column) for column in stored["columns"])
    return ImportPlan(FileFormat(**stored["format"]), columns, stored["rows"], stored.get("fills_defaults", False))


def _column_from_json(stored: Mapping[str, Any]) -> ColumnPlan:
    new = stored["new"]
    options = [Option.read(option) for option in new["options"]] if new else []
    return ColumnPlan(
        **{
            **stored,
            "new": NewColumn(**{**new, "options": options}) if new else None,
            "on_misfit": OnMisfit(stored["on_misfit"]),
            "labels": tuple(stored["labels"]),
            "undecided": tuple(stored["undecided"]),
        }
    )
