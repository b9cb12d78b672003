"""Importing in a test: content in, report out."""

import io
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.exact_json import loads_wire
from core.imports.inspection import Inspection, inspect
from core.imports.load import Report, import_new_sheet, import_rows
from core.imports.plan import propose
from core.imports.plan_types import ImportPlan


def looked(content: str | bytes, **chosen: Any) -> tuple[io.BytesIO, Inspection]:
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return file, inspect(file, chosen)


def planned(content: str | bytes, access: Access | None = None) -> tuple[io.BytesIO, ImportPlan, Inspection]:
    file, found = looked(content)
    return file, propose(found, access), found


def load(session: Session, who: Actor, access: Access, content: str | bytes, **more: Any) -> Report:
    """Import into a sheet as proposed; `decide` changes the plan first."""
    access = get_access(session, who, access.sheet.sheet_id)
    file, plan, _ = planned(content, access)
    plan = more.pop("decide", lambda plan: plan)(plan)
    operation: UUID = more.pop("operation_id", None) or uuid4()
    return import_rows(session, who, access.sheet.sheet_id, file, plan, operation_id=operation, **more)


def load_new(session: Session, who: Actor, content: str | bytes, name: str = "New", **more: Any) -> Report:
    file, plan, _ = planned(content)
    operation: UUID = more.pop("operation_id", None) or uuid4()
    return import_new_sheet(session, who, name, file, plan, operation_id=operation, **more)


def rows_of(session: Session, sheet: int) -> list[dict[str, Any]]:
    statement = text("SELECT values::text FROM rows WHERE sheet_id = :sheet ORDER BY row_id")
    return [loads_wire(values) for values in session.execute(statement, {"sheet": sheet}).scalars()]
