"""Sheets: list, create, rename, describe, configure, archive, restore."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, text, update
from sqlalchemy.orm import Session

from core.access.access import Access, get_access
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed
from core.base.notify import notify_sheet_rights
from core.base.permissions import ROLE_PERMISSIONS, Level, Permission
from core.base.text import clean, one_line
from core.column_types import Choice, Date, Money, Number, Percent, Person, Text, column_type
from core.sheets.columns import add_columns, checked_description
from core.sheets.templates import TEMPLATES, Template
from db.tables.sheets import Sheet

MAX_NAME = 120
# Which type a column must have to play a part in a pipeline.
PIPELINE_PARTS: dict[str, tuple[str, ...]] = {
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
    """A line in the list of sheets."""

    sheet_id: int
    name: str
    description: str
    icon: str
    level: Level
    owner: str
    is_pipeline: bool
    archived_at: datetime | None


def sheets(session: Session, actor: Actor, *, archived: bool = False) -> list[ListedSheet]:
    """The sheets that this actor may see, by name; archived ones instead where asked."""
    rows = session.execute(_LIST, {"user": actor.user_id, "archived": archived}).mappings()
    return [ListedSheet(**(dict(row) | {"level": Level(row["level"])})) for row in rows]


def create_sheet(
    session: Session, actor: Actor, name: str, *, template: str | Template = "blank", description: str = ""
) -> Access:
    """A new sheet of this actor's, with the template's columns."""
    if Permission.SHEETS_CREATE not in ROLE_PERMISSIONS[actor.role]:
        raise NotAllowed(f"As {actor.role.label.lower()} you cannot create sheets. Ask an administrator.")
    plan = template if isinstance(template, Template) else get_template(template)
    sheet = Sheet(
        owner_id=actor.user_id,
        name=checked_name(name),
        description=checked_description(description or plan.description),
        icon=plan.icon,
    )
    session.add(sheet)
    session.flush()
    audit.record(session, actor, "sheet:sheet:create", sheet_id=sheet.sheet_id, name=sheet.name, template=plan.label)
    made = add_columns(session, actor, sheet.sheet_id, list(plan.columns)) if plan.columns else []
    ids = {column.name: column.column_id for column in made}
    if plan.pipeline:
        sheet.settings = {"pipeline": {part: ids[name] for part, name in plan.pipeline.items()}}
    elif plan.owner:
        sheet.settings = {"owner_column": ids[plan.owner]}
    session.flush()
    return get_access(session, actor, sheet.sheet_id)


def rename_sheet(session: Session, actor: Actor, sheet_id: int, name: str) -> None:
    """Give the sheet another name."""
    _change(session, actor, sheet_id, "sheet:sheet:rename", name=checked_name(name))


def describe_sheet(session: Session, actor: Actor, sheet_id: int, description: str) -> None:
    """Say what the sheet is for."""
    _change(session, actor, sheet_id, "sheet:sheet:describe", description=checked_description(description))


def configure_pipeline(session: Session, actor: Actor, sheet_id: int, parts: Mapping[str, int | None]) -> None:
    """Say which columns are the stage, the amount and so on; no stage makes it a plain table again."""
    access = get_access(session, actor, sheet_id, Permission.SHEET_CONFIGURE)
    named = {part: column_id for part, column_id in parts.items() if column_id is not None}
    for part, column_id in named.items():
        _check_part(access, part, column_id)
    if named and "stage" not in named:
        raise Invalid("A pipeline needs a stage: choose the column that holds it.")
    settings = access.sheet.settings | {"pipeline": named}
    _change(session, actor, sheet_id, "sheet:sheet:configure", settings=settings)


def archive_sheet(session: Session, actor: Actor, sheet_id: int) -> None:
    """Put the sheet away; it stays whole and can be restored."""
    _change(
        session, actor, sheet_id, "sheet:sheet:archive", permission=Permission.SHEET_ARCHIVE, archived_at=func.now()
    )


def restore_sheet(session: Session, actor: Actor, sheet_id: int) -> None:
    """Bring an archived sheet back."""
    _change(session, actor, sheet_id, "sheet:sheet:restore", permission=Permission.SHEET_ARCHIVE, archived_at=None)


def get_template(name: str) -> Template:
    """The template of this name."""
    if name not in TEMPLATES:
        raise Invalid(f"There is no template “{name}”. Choose one of: {', '.join(TEMPLATES)}.")
    return TEMPLATES[name]


def checked_name(name: str) -> str:
    """The name clean and in one line, or Invalid."""
    name = one_line(clean(name))
    if not name:
        raise Invalid("A sheet needs a name.")
    if len(name) > MAX_NAME:
        raise Invalid(f"A sheet's name has at most {MAX_NAME} characters; this one has {len(name)}.")
    return name


def choose_owner_column(session: Session, actor: Actor, sheet_id: int, column_id: int | None) -> None:
    """Say which column of people tells whose a row is; None for none. A pipeline's owner counts where none is said."""
    access = get_access(session, actor, sheet_id, Permission.SHEET_CONFIGURE)
    if column_id is not None:
        column = access.column(column_id)
        if not column_type(column.type).names_people:
            raise Invalid(f"“{column.name}” cannot say whose a row is: it takes a column of type Person.")
    settings = {name: value for name, value in access.sheet.settings.items() if name != "owner_column"}
    _change(
        session,
        actor,
        sheet_id,
        "sheet:sheet:configure",
        settings=settings | ({"owner_column": column_id} if column_id else {}),
    )


def _check_part(access: Access, part: str, column_id: int) -> None:
    if part not in PIPELINE_PARTS:
        raise Invalid(f"A pipeline has no “{part}”.")
    column = access.column(column_id)
    if column.type not in PIPELINE_PARTS[part]:
        wanted = " or ".join(column_type(name).label for name in PIPELINE_PARTS[part])
        raise Invalid(f"“{column.name}” cannot be the {part.replace('_', ' ')}: it takes a column of type {wanted}.")


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
    kept = {name: getattr(access.sheet, name) for name in values}
    if kept == {name: value for name, value in values.items() if value is None or isinstance(value, str | dict)}:
        return  # It is so already: nothing has changed that could be told.
    session.execute(update(Sheet).where(Sheet.sheet_id == sheet_id).values(**values))
    facts: dict[str, Any] = {name: value for name, value in values.items() if isinstance(value, str | dict)}
    if "name" in values:
        facts["before"] = access.sheet.name
    notify_sheet_rights(session, sheet_id)  # Name, settings and archive stand around open grids: those look again.
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
