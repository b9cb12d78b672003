"""What a principal may see and do in a sheet. Every read of rows goes through an Access."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, Self
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.access.link_view import LinkView, rows_of_link_view
from core.access.people import people_in_visible_cells, workspace_people
from core.access.row_gate import RowGate
from core.accounts.locale import get_locale
from core.base.actor import Actor, Principal, Visitor
from core.base.errors import NotAllowed, NotFound
from core.base.permissions import LEVEL_PERMISSIONS, Audience, Level, Permission, RowScope
from core.base.relative_dates import Calendar
from core.column_types import column_type
from core.column_types.base import Option, PeopleDirectory, References
from core.column_types.dates import clock_of
from core.column_types.related import NO_ROWS, RelatedRows
from core.workspace.settings import workspace_settings


@dataclass(frozen=True, slots=True)
class EarlierType:
    """The type that a column had in the versions of the sheet before `until`, with its rules and options."""

    until: int
    type: str
    rules: dict[str, Any]
    options: tuple[Option, ...]
    default_value: dict[str, Any] | None = None

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Return the type that `as_stored` described."""
        options = tuple(Option.read(option) for option in stored["options"])
        return cls(stored["until"], stored["type"], stored["rules"], options, stored.get("default_value"))

    def as_stored(self) -> dict[str, Any]:
        """Return the type as JSON data."""
        options = [option.as_stored() for option in self.options]
        definition = {"type": self.type, "rules": self.rules, "options": options, "default_value": self.default_value}
        return {"until": self.until, **definition}


@dataclass(frozen=True)
class ColumnInfo:
    """A live column, as everything but the database knows it."""

    column_id: int
    name: str
    type: str
    description: str
    position: int
    rules: dict[str, Any]
    options: tuple[Option, ...]
    retired: bool = False
    limits: Mapping[str, str] = field(default_factory=dict)
    slot: str | None = None
    earlier: tuple[EarlierType, ...] = ()
    default_value: dict[str, Any] | None = None

    @property
    def earlier_option_ids(self) -> frozenset[str]:
        """The ids of the options that the column had in earlier types."""
        return frozenset(option.id for earlier in self.earlier for option in earlier.options)

    @property
    def type_version(self) -> int:
        """The version of the sheet in which the column got its type; 0 where it always had it."""
        return self.earlier[-1].until if self.earlier else 0

    def at(self, version: int) -> Self:
        """Return the column with the type that it had in a version of the sheet."""
        earlier = next((earlier for earlier in self.earlier if version < earlier.until), None)
        if earlier is None:
            return self
        return replace(self, type=earlier.type, rules=earlier.rules, options=earlier.options, slot=None)

    @cached_property
    def key(self) -> str:
        """The key of this column's value in a row."""
        return str(self.column_id)

    @cached_property
    def is_computed(self) -> bool:
        """Whether nobody writes the cells of this column, because they are computed."""
        return column_type(self.type).is_computed

    @cached_property
    def inputs(self) -> frozenset[int]:
        """The ids of the columns from which the cells are computed."""
        return frozenset(column_type(self.type).inputs(self))

    def is_hidden_from(self, audiences: Collection[str]) -> bool:
        """Return whether the column is hidden from one of these audiences."""
        return any(self.limits.get(audience) == HIDDEN for audience in audiences)

    def is_read_only_for(self, audiences: Collection[str]) -> bool:
        """Return whether one of these audiences may see the values and not change them."""
        return any(self.limits.get(audience) == READ_ONLY for audience in audiences)


@dataclass(frozen=True)
class SheetInfo:
    """A sheet, as everything but the database knows it."""

    sheet_id: int
    name: str
    description: str
    icon: str
    owner_id: int
    settings: dict[str, Any]
    workspace_level: str | None
    version: int
    columns_version: int
    created_at: datetime
    archived_at: datetime | None

    @property
    def pipeline(self) -> dict[str, int]:
        """Which column is the stage, the amount and so on; empty where the sheet is a plain table."""
        return self.settings.get("pipeline") or {}

    @property
    def owner_column(self) -> int | None:
        """The id of the column that names the owner of a row; shares of a user's own rows depend on it."""
        return self.settings.get("owner_column") or self.pipeline.get("owner")


def no_related_rows(_session: Session, _principal: Principal, _sheet_id: int) -> "tuple[Access | None, RelatedRows]":
    """Return what a principal sees of a related sheet where nothing can be read: nothing."""
    return None, NO_ROWS


@dataclass(frozen=True)
class Access:
    """One person's view of one sheet: their level, what it permits, and the rows and columns that they may see.

    `row_scope` says which rows the share gives, `owners` are the user ids whose rows may be seen, as text; None: all
    rows. `link_view` is the view that binds the visitor of a public link. `every_column` is for checks that hold for
    the sheet as a whole, such as unique values, and for nothing that is shown.
    """

    principal: Principal
    sheet: SheetInfo
    level: Level
    every_column: tuple[ColumnInfo, ...]
    row_scope: RowScope
    owners: tuple[str, ...] | None
    _session: Session = field(repr=False)
    link_view: LinkView | None = None
    _load_related: "Callable[[Session, Principal, int], tuple[Access | None, RelatedRows]]" = field(
        default=no_related_rows, repr=False, compare=False
    )

    @property
    def actor(self) -> Actor:
        """The person whose access this is, for what only people do. NotAllowed for the visitor of a link."""
        if isinstance(self.principal, Visitor):
            raise NotAllowed(NOT_BY_LINK)
        return self.principal

    @property
    def permissions(self) -> frozenset[Permission]:
        may_export = isinstance(self.principal, Visitor) and self.principal.may_export
        return LEVEL_PERMISSIONS[self.level] | ({Permission.ROWS_EXPORT} if may_export else set())

    @property
    def audiences(self) -> tuple[str, ...]:
        """As whom a column may be hidden from this principal, or read-only."""
        return (self.level, Audience.OWN_ROWS) if self.row_scope is RowScope.OWN else (self.level,)

    @cached_property
    def columns(self) -> tuple[ColumnInfo, ...]:
        """The columns that this person may see, in the sheet's order; a computed one only with all its inputs."""
        hidden = self.link_view.hidden if self.link_view else ()
        visible = [
            column
            for column in self.every_column
            if column.column_id not in hidden and not column.is_hidden_from(self.audiences)
        ]
        if not any(column.is_computed for column in visible):
            return tuple(visible)
        visible = [
            column
            for column in visible
            if column_type(column.type).needed_for(column) in {None, *LEVEL_PERMISSIONS[self.level]}
        ]
        ids = {column.column_id for column in visible}
        while without := {
            column.column_id for column in visible if column.column_id in ids and not column.inputs <= ids
        }:
            ids -= without
        return tuple(column for column in visible if column.column_id in ids)

    @cached_property
    def computed_columns(self) -> tuple[ColumnInfo, ...]:
        """The computed columns that this person may see."""
        return tuple(column for column in self.columns if column.is_computed)

    @property
    def needs_snapshot(self) -> bool:
        """Whether some cells are read by statements of their own: computed ones, and rows of related sheets."""
        return bool(self.computed_columns or self.related_sheets)

    @property
    def title_column(self) -> ColumnInfo | None:
        """The column by whose cell a row is called: the first that is written; None where this person sees none."""
        return next((column for column in self.columns if not column.is_computed), None)

    @cached_property
    def by_id(self) -> Mapping[int, ColumnInfo]:
        return {column.column_id: column for column in self.columns}

    @cached_property
    def references(self) -> References:
        """What column types read from outside a column. A visitor gets the names that visible cells contain."""
        return References(self._people, lambda sheet_id: self._related(sheet_id)[1])

    def _people(self) -> PeopleDirectory:
        if isinstance(self.principal, Visitor):
            keys = [column.key for column in self.columns if column_type(column.type).names_people]
            return people_in_visible_cells(self._session, self.row_gate, keys)
        return workspace_people(self._session)

    def related(self, sheet_id: int) -> "Access | None":
        """Return this principal's access to a related sheet; None where it is archived or they may not see its rows."""
        return self._related(sheet_id)[0]

    def _related(self, sheet_id: int) -> "tuple[Access | None, RelatedRows]":
        if sheet_id not in self._related_sheets:
            self._related_sheets[sheet_id] = self._load_related(self._session, self.principal, sheet_id)
        return self._related_sheets[sheet_id]

    @cached_property
    def _related_sheets(self) -> "dict[int, tuple[Access | None, RelatedRows]]":
        return {}

    @cached_property
    def calendar(self) -> Calendar:
        """What relative dates count from: one instant, in the reader's time zone; a visitor's is the workspace's."""
        settings = workspace_settings(self._session)
        is_person = isinstance(self.principal, Actor)
        zone = get_locale(self._session, self.actor).zone if is_person else settings.zone
        return Calendar(datetime.now(UTC), zone, settings.week_start, settings.fiscal_year_start)

    @cached_property
    def currency(self) -> str:
        """The workspace's currency, in which a new column of money is where it names no other."""
        return workspace_settings(self._session).currency

    @property
    def moment(self) -> datetime | None:
        """The instant of the past as of which this is; None for now, and for the past of a version."""
        return None

    @property
    def time_zone(self) -> str:
        """The time zone of the workspace, in which an instant belongs to a day."""
        return workspace_settings(self._session).time_zone

    @property
    def today(self) -> date:
        """The day of this view of the sheet in the workspace's time zone."""
        return datetime.now(ZoneInfo(self.time_zone)).date()

    @property
    def session(self) -> Session:
        """The session by which this access was loaded, for what its cells depend on."""
        return self._session

    def column(self, column_id: int) -> ColumnInfo:
        """The column, or NotFound where there is none that this person may see."""
        try:
            return self.by_id[column_id]
        except KeyError:
            raise NotFound(NO_COLUMN, column=column_id) from None

    @property
    def is_past(self) -> bool:
        """Whether this is the sheet as it was, whose rows core.rows.as_of lets through by what they are today."""
        return False

    def require(self, *permissions: Permission) -> None:
        """NotAllowed unless this person's level gives every one of these."""
        if missing := set(permissions) - self.permissions:
            if isinstance(self.principal, Visitor):
                raise NotAllowed(NOT_BY_LINK)
            reason = f"You are {self.level.with_article} of “{self.sheet.name}”, which does not allow this"
            raise NotAllowed(f"{reason}. Ask its owner.", permission=min(missing))
        if self.sheet.archived_at is not None and set(permissions) & CHANGING:
            raise NotAllowed(f"“{self.sheet.name}” is archived. Restore it first.")

    def may_write(self, column: ColumnInfo) -> bool:
        """Whether the sheet's owner lets people like this one change the values of a column; nobody a computed one.

        A mirror takes the rights of the sheet that stores its relation.
        """
        if column.is_computed and column_type(column.type).names_rows:
            storing = self.related(column.rules["sheet"])
            relation = storing.by_id.get(column.rules["relation"]) if storing else None
            may_edit = storing is not None and Permission.ROWS_EDIT in storing.permissions
            return may_edit and storing is not None and relation is not None and storing.may_write(relation)
        return not column.is_computed and not column.is_read_only_for(self.audiences)

    @cached_property
    def owner_column(self) -> ColumnInfo | None:
        """The column that says whose a row is, hidden or not; None where the sheet has none of people."""
        columns = (column for column in self.every_column if column.column_id == self.sheet.owner_column)
        return next((column for column in columns if column_type(column.type).names_people), None)

    @cached_property
    def row_gate(self) -> RowGate:
        """The condition under which this person may know a row; every statement over rows passes it."""
        owner = self.owner_column
        return RowGate(
            self.sheet.sheet_id,
            self.owners,
            owner_key=owner.key if owner else None,
            owner_slot=owner.slot if owner else None,
            is_past=self.is_past,
            view_rows=rows_of_link_view(self, self.link_view) if self.link_view else None,
        )

    @cached_property
    def scope(self) -> str:
        """The cache key of what this access shows: accesses with equal scopes show equal cells."""
        related = "".join(f":{other.own_scope}" if other else ":none" for other in self._related_accesses.values())
        return self.own_scope + related + self._reader_scope

    @cached_property
    def _reader_scope(self) -> str:
        """The part of the scope that is the reader's: who “me” is in filters of rollups, and when their days end.

        A relative date of a date is by the clock of the reader, that of an instant by the clock of its column.
        """
        kinds = [(column_type(column.type), column) for column in self.computed_columns if "filter" in column.rules]
        scope = ""
        if isinstance(self.principal, Actor) and any(kind.names_reader(column) for kind, column in kinds):
            scope += f":me {self.principal.user_id}"
        if any(kind.changes_daily(column) for kind, column in kinds):
            accesses = (self, *filter(None, self._related_accesses.values()))
            columns = [column for access in accesses for column in access.columns]
            clocks = [clock_of(column) for column in columns if column_type(column.type).is_date]
            days = [self.calendar.today(zone) for zone in dict.fromkeys((None, UTC, *clocks))]
            scope += f":days {','.join(map(str, days))}"
        return scope

    @cached_property
    def own_scope(self) -> str:
        """The part of the scope that is about this sheet alone."""
        sheet, columns = self.sheet, ",".join(str(column_id) for column_id in self.by_id)
        is_dated = any(column_type(column.type).changes_daily(column) for column in self.computed_columns)
        own = f"{sheet.sheet_id}:{sheet.created_at.timestamp()}:{sheet.columns_version}:{columns}:{self.rows_scope}"
        return own + (f":{self.today}" if is_dated else "")

    @cached_property
    def versions(self) -> tuple[tuple[int, int], ...]:
        """The version of the sheet and those of the related sheets that its cells depend on, by sheet."""
        related = ((other.sheet.sheet_id, other.sheet.version) for other in self._related_accesses.values() if other)
        return ((self.sheet.sheet_id, self.sheet.version), *related)

    @cached_property
    def related_sheets(self) -> frozenset[int]:
        """The ids of the sheets that the cells depend on, besides this one."""
        sheets = {column.rules["sheet"] for column in self.columns if column_type(column.type).names_rows}
        return frozenset(sheets - {self.sheet.sheet_id})

    @cached_property
    def _related_accesses(self) -> "dict[int, Access | None]":
        """The accesses to the related sheets, by sheet."""
        return {sheet_id: self.related(sheet_id) for sheet_id in sorted(self.related_sheets)}

    @property
    def rows_scope(self) -> str:
        """Which rows these are: the same text for the same."""
        if self.link_view is not None:
            return f"view {self.link_view.fingerprint}"
        return "all" if self.owners is None else f"{self.sheet.owner_column} in {','.join(self.owners)}"


CHANGING = {
    Permission.ROWS_EDIT,
    Permission.ROWS_ADD,
    Permission.ROWS_DELETE,
    Permission.ROWS_IMPORT,
    Permission.COLUMNS_EDIT,
    Permission.VIEWS_EDIT,
}

HIDDEN, READ_ONLY = "hidden", "read-only"
NO_SHEET = "This sheet does not exist, or it is not shared with you."
NO_LINK = "This link doesn't work any more. Ask the sender for a new one."
NOT_BY_LINK = "A public link does not allow this."
NO_COLUMN = "This column does not exist in the sheet, or you can't see it."
