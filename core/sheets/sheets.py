"""Sheets: list, create, rename, describe, configure, archive and restore them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, text, update
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed
from core.base.permissions import ROLE_PERMISSIONS, Level, Permission
from core.base.pg_notify import notify_sheet_rights
from core.base.text import clean, one_line
from core.column_types import Choice, Date, Money, Number, Percent, Person, Text, column_type
from core.sheets.columns import add_columns, checked_description
from core.sheets.templates import TEMPLATES, Template
from db.tables.sheets import Sheet
from db.tables.views import StoredView

MAX_NAME = 120
FIRST_VIEW = "All rows"  # A sheet always has a view for everyone.
# The column types that each field of a pipeline accepts.
PIPELINE_FIELDS: dict[str, tuple[str, ...]] = {
    "stage": (Choice.name,),
    "amount": (Money.name, Number.name),
    "close_date": (Date.name,),
    "created": (Date.name,),
    "owner": (Person.name, Text.name, Choice.name),
    "probability": (Percent.name,),
    "account": (Text.name, Choice.name),
}


@dataclass(frozen=True)
class ListedSheet:
    """A sheet in the list of sheets."""

    sheet_id: int
    name: str
    description: str
    icon: str
    level: Level
    owner: str
    is_pipeline: bool
    archived_at: datetime | None


def sheets(session: Session, actor: Actor, *, archived: bool = False) -> list[ListedSheet]:
    """Return the sheets that this actor may see, pipelines first, then by name; with `archived`, only archived ones."""
    rows = session.execute(_LIST, {"user": actor.user_id, "archived": archived}).mappings()
    return [ListedSheet(**(dict(row) | {"level": Level(row["level"])})) for row in rows]


def create_sheet(
    session: Session, actor: Actor, name: str, *, template: str | Template = "blank", description: str = ""
) -> Access:
    """Create a sheet owned by the actor, with the template's columns. Raises Invalid and NotAllowed."""
    if Permission.SHEETS_CREATE not in ROLE_PERMISSIONS[actor.role]:
        raise NotAllowed(f"You can't create sheets as {actor.role.label.lower()}. Ask an administrator.")
    plan = template if isinstance(template, Template) else get_template(template)
    sheet = Sheet(
        owner_id=actor.user_id,
        name=checked_name(name),
        description=checked_description(description or plan.description),
        icon=plan.icon,
    )
    session.add(sheet)
    session.flush()
    session.add(StoredView(sheet_id=sheet.sheet_id, name=FIRST_VIEW, position=1, created_by=actor.user_id))
    audit.record(session, actor, "sheet:sheet:create", sheet_id=sheet.sheet_id, name=sheet.name, template=plan.label)
    added = add_columns(session, actor, sheet.sheet_id, list(plan.columns)) if plan.columns else []
    ids = {column.name: column.column_id for column in added}
    if plan.pipeline:
        sheet.settings = {"pipeline": {field: ids[name] for field, name in plan.pipeline.items()}}
    elif plan.owner:
        sheet.settings = {"owner_column": ids[plan.owner]}
    session.flush()
    return get_access(session, actor, sheet.sheet_id)


def rename_sheet(session: Session, actor: Actor, sheet_id: int, name: str) -> None:
    """Rename the sheet."""
    _change(session, actor, sheet_id, "sheet:sheet:rename", name=checked_name(name))


def describe_sheet(session: Session, actor: Actor, sheet_id: int, description: str) -> None:
    """Change the description of the sheet."""
    _change(session, actor, sheet_id, "sheet:sheet:describe", description=checked_description(description))


def configure_pipeline(session: Session, actor: Actor, sheet_id: int, fields: Mapping[str, int | None]) -> None:
    """Set the columns of the pipeline's fields; without a stage, the sheet is a plain table. Raises Invalid."""
    access = get_access(session, actor, sheet_id, Permission.SHEET_CONFIGURE)
    pipeline = {field: column_id for field, column_id in fields.items() if column_id is not None}
    for field, column_id in pipeline.items():
        _check_field(access, field, column_id)
    if pipeline and "stage" not in pipeline:
        raise Invalid("A pipeline needs a stage. Choose its column.")
    settings = access.sheet.settings | {"pipeline": pipeline}
    _change(session, actor, sheet_id, "sheet:sheet:configure", settings=settings)


def archive_sheet(session: Session, actor: Actor, sheet_id: int) -> None:
    """Archive the sheet; it stays complete and can be restored."""
    _change(
        session, actor, sheet_id, "sheet:sheet:archive", permission=Permission.SHEET_ARCHIVE, archived_at=func.now()
    )


def restore_sheet(session: Session, actor: Actor, sheet_id: int) -> None:
    """Restore an archived sheet."""
    _change(session, actor, sheet_id, "sheet:sheet:restore", permission=Permission.SHEET_ARCHIVE, archived_at=None)


def get_template(name: str) -> Template:
    """Return the template with this name. Raises Invalid."""
    if name not in TEMPLATES:
        raise Invalid(f"“{name}” isn't a template. Choose one of: {', '.join(TEMPLATES)}.")
    return TEMPLATES[name]


def checked_name(name: str) -> str:
    """Return the name cleaned, on one line. Raises Invalid."""
    name = one_line(clean(name))
    if not name:
        raise Invalid("A sheet needs a name.")
    if len(name) > MAX_NAME:
        raise Invalid(f"A sheet's name has at most {MAX_NAME} characters. This one has {len(name)}.")
    return name


def choose_owner_column(session: Session, actor: Actor, sheet_id: int, column_id: int | None) -> None:
    """Set the row-owner column; None resets it to the pipeline's owner column, if any. Raises Invalid."""
    access = get_access(session, actor, sheet_id, Permission.SHEET_CONFIGURE)
    if column_id is not None:
        column = access.column(column_id)
        if not column_type(column.type).names_people:
            raise Invalid(f"“{column.name}” can't be the row-owner column. Choose a column of type Person.")
    settings = {name: value for name, value in access.sheet.settings.items() if name != "owner_column"}
    _change(
        session,
        actor,
        sheet_id,
        "sheet:sheet:configure",
        settings=settings | ({"owner_column": column_id} if column_id else {}),
    )


def _check_field(access: Access, field: str, column_id: int) -> None:
    if field not in PIPELINE_FIELDS:
        raise Invalid(f"“{field}” isn't a field of a pipeline.")
    column = access.column(column_id)
    if column.type not in PIPELINE_FIELDS[field]:
        types = " or ".join(column_type(name).label for name in PIPELINE_FIELDS[field])
        raise Invalid(f"“{column.name}” can't be the {field.replace('_', ' ')}. Choose a column of type {types}.")


def _change(
    session: Session,
    actor: Actor,
    sheet_id: int,
    action: str,
    *,
    permission: Permission = Permission.SHEET_CONFIGURE,
    **values: Any,
) -> None:
    access = get_access(session, actor, sheet_id, permission)
    before = {name: getattr(access.sheet, name) for name in values}
    if before == {name: value for name, value in values.items() if value is None or isinstance(value, str | dict)}:
        return  # Nothing changes.
    session.execute(update(Sheet).where(Sheet.sheet_id == sheet_id).values(**values))
    facts: dict[str, Any] = {name: value for name, value in values.items() if isinstance(value, str | dict)}
    if "name" in values:
        facts["before"] = access.sheet.name
    notify_sheet_rights(session, sheet_id)  # Open grids show name, settings and archive state.
    audit.record(session, actor, action, sheet_id=sheet_id, **facts)


_LIST = text("""
    SELECT s.sheet_id, s.name, s.description, s.icon, l.level, o.name AS owner,
           coalesce(s.settings -> 'pipeline' -> 'stage' IS NOT NULL, false) AS is_pipeline, s.archived_at
    FROM sheet_levels l
    JOIN sheets s ON s.sheet_id = l.sheet_id
    JOIN users o ON o.user_id = s.owner_id
    WHERE l.user_id = :user AND l.level IS NOT NULL AND (s.archived_at IS NOT NULL) = :archived
    ORDER BY is_pipeline DESC, fold_text(s.name) COLLATE "C", s.sheet_id
""")
