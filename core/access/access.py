"""What a principal may see and do in a sheet. Every read of rows goes through an Access."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Pool, select, text
from sqlalchemy.orm import Session

from core.access.row_gate import RowGate, scope_sql, visible_sql
from core.accounts.workspace_currency import workspace_currency
from core.base.actor import Actor, Principal, Visitor
from core.base.errors import NotAllowed, NotFound
from core.base.permissions import LEVEL_PERMISSIONS, Audience, Level, Permission, RowScope
from core.column_types import column_type
from core.column_types.base import Option, PeopleDirectory, References
from db.folding import folded
from db.tables.sheets import User


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

    @cached_property
    def key(self) -> str:
        """The key of this column's value in a row."""
        return str(self.column_id)

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


@dataclass(frozen=True)
class Access:
    """One person's view of one sheet: their level, what it permits, and the rows and columns that they may see.

    `row_scope` says which rows the share gives, `owners` are the user ids whose rows may be seen, as text; None: all
    rows. `every_column` is for checks that hold for the sheet as a whole, such as unique values, and for nothing that
    is shown.
    """

    principal: Principal
    sheet: SheetInfo
    level: Level
    every_column: tuple[ColumnInfo, ...]
    row_scope: RowScope
    owners: tuple[str, ...] | None
    _session: Session = field(repr=False)

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
        """The columns that this person may see, in the sheet's order."""
        return tuple(column for column in self.every_column if not column.is_hidden_from(self.audiences))

    @cached_property
    def by_id(self) -> Mapping[int, ColumnInfo]:
        return {column.column_id: column for column in self.columns}

    @cached_property
    def visible_keys(self) -> frozenset[str]:
        """The keys of the values that this person may see."""
        return frozenset(column.key for column in self.columns)

    @cached_property
    def references(self) -> References:
        """What column types read from outside a column. A visitor gets the names that visible cells contain."""
        return References(self._people)

    def _people(self) -> PeopleDirectory:
        if isinstance(self.principal, Visitor):
            return _people_in_visible_cells(self._session, self)
        return workspace_people(self._session)

    @cached_property
    def currency(self) -> str:
        """The workspace's currency, in which a new column of money is where it names no other."""
        return workspace_currency(self._session)

    def column(self, column_id: int) -> ColumnInfo:
        """The column, or NotFound where there is none that this person may see."""
        try:
            return self.by_id[column_id]
        except KeyError:
            raise NotFound("There is no such column in this sheet.", column=column_id) from None

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
        """Whether the sheet's owner lets people like this one change the values of a column."""
        return not column.is_read_only_for(self.audiences)

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
        )

    @property
    def gate(self) -> dict[str, Any]:
        return self.row_gate.parameters()

    @cached_property
    def scope(self) -> str:
        """The cache key of what this access shows: accesses with equal scopes show equal cells."""
        sheet, seen = self.sheet, ",".join(str(column_id) for column_id in self.by_id)
        return f"{sheet.sheet_id}:{sheet.created_at.timestamp()}:{sheet.columns_version}:{seen}:{self.rows_scope}"

    @property
    def rows_scope(self) -> str:
        """Which rows these are: the same text for the same."""
        return "all" if self.owners is None else f"{self.sheet.owner_column} in {','.join(self.owners)}"


CHANGING = {
    Permission.ROWS_EDIT,
    Permission.ROWS_ADD,
    Permission.ROWS_DELETE,
    Permission.ROWS_IMPORT,
    Permission.COLUMNS_EDIT,
}


def get_access(session: Session, actor: Principal, sheet_id: int, *permissions: Permission) -> Access:
    """The sheet as this principal sees it. NotFound: they may not know it. NotAllowed: they may not do this."""
    if isinstance(actor, Visitor):
        access = _load_for_visitor(session, actor, sheet_id)
        access.require(Permission.SHEET_SEE, *permissions)
        return access
    cached = _known_columns(session)
    _, columns = cached.get(sheet_id, (-1, ()))
    row = session.info.pop(_remembered(actor, sheet_id), None)
    if row is None:
        parameters = {"sheet": sheet_id, "user": actor.user_id, "known": known_version(session, sheet_id)}
        row = session.execute(_LOAD, parameters).mappings().one_or_none()
    if row is None or row["level"] is None:
        raise NotFound(NO_SHEET)
    if row["columns"] is not None:
        columns = tuple(made_column(column) for column in row["columns"])
        if row["is_committed"]:
            cached[sheet_id] = (row["columns_version"], columns)
    access = Access(
        principal=actor,
        sheet=SheetInfo(**{name: row[name] for name in SHEET_FIELDS}),
        level=Level(row["level"]),
        every_column=columns,
        row_scope=RowScope(row["row_scope"]),
        owners=None if row["owners"] is None else tuple(map(str, row["owners"])),
        _session=session,
    )
    access.require(Permission.SHEET_SEE, *permissions)
    return access


def _load_for_visitor(session: Session, visitor: Visitor, sheet_id: int) -> Access:
    """All rows, and the columns that links may show, while the link lives; what it allows is read again each time."""
    if visitor.sheet_id != sheet_id:
        raise NotFound(NO_SHEET)
    version, columns = _known_columns(session).get(sheet_id, (-1, ()))
    parameters = {"sheet": sheet_id, "visit": visitor.visit_id, "known": version}
    row = session.execute(_LOAD_FOR_VISITOR, parameters).mappings().one_or_none()
    if row is None:
        raise NotFound(NO_LINK)
    if row["columns"] is not None:
        columns = tuple(map(made_column, row["columns"]))
    return Access(
        principal=replace(visitor, may_export=row["may_export"]),
        sheet=SheetInfo(**{name: row[name] for name in SHEET_FIELDS}),
        level=Level.LINK,
        every_column=columns,
        row_scope=RowScope.ALL,
        owners=None,
        _session=session,
    )


def _people_in_visible_cells(session: Session, access: Access) -> PeopleDirectory:
    """The names of the people in the cells that this principal sees. No e-mails."""
    keys = [column.key for column in access.columns if column_type(column.type).names_people]
    if not keys:
        return PeopleDirectory()
    rows = session.execute(_PEOPLE_IN_VISIBLE_CELLS, access.row_gate.parameters() | {"keys": keys})
    return PeopleDirectory({str(user_id): name for user_id, name in rows})


def remember(session: Session, actor: Actor, found: Mapping[str, Any]) -> None:
    """Keep what LOAD_SQL gave at the start of this transaction for its first get_access(), and no later one."""
    session.info[_remembered(actor, found["sheet_id"])] = found


def known_version(session: Session, sheet_id: int) -> int:
    """The version of the sheet's columns that this process knows; -1 for none."""
    return _known_columns(session).get(sheet_id, (-1, ()))[0]


def _remembered(actor: Actor, sheet_id: int) -> tuple[str, int, int]:
    return "access", actor.user_id, sheet_id


def _known_columns(session: Session) -> dict[int, tuple[int, tuple[ColumnInfo, ...]]]:
    """Per sheet the columns as of a version of theirs: most requests need not read them again."""
    known = _KNOWN.setdefault(session.get_bind().engine.pool, {})
    if len(known) > MOST_KNOWN:
        known.clear()
    return known


def workspace_people(session: Session) -> PeopleDirectory:
    """Everyone with an account, in the order of their names."""
    rows = session.execute(select(User.user_id, User.name, User.email).order_by(folded(User.name), User.user_id)).all()
    names = {str(user_id): name for user_id, name, _ in rows}
    return PeopleDirectory(names, {email: str(user_id) for user_id, _, email in rows})


def rows_in_scope(access: Access) -> ColumnElement[bool]:
    """The condition under which this person may know a row, in the trash or not: the gate of history and trash."""
    return access.row_gate.rows_in_scope()


def visible_rows(access: Access) -> ColumnElement[bool]:
    """The condition under which this person sees a row: the one gate that every read of rows passes."""
    return access.row_gate.visible_rows()


def every_row(access: Access) -> ColumnElement[bool]:
    """All live rows of the sheet, seen or not: for checks that hold for the whole sheet, and nothing that is shown."""
    return access.row_gate.every_row()


SCOPE_SQL = scope_sql("r")
VISIBLE_SQL = visible_sql("r")


def made_column(row: Mapping[str, Any]) -> ColumnInfo:
    """A ColumnInfo from a row of the columns table."""
    return ColumnInfo(
        column_id=row["column_id"],
        name=row["name"],
        type=row["type"],
        description=row["description"],
        position=row["position"],
        rules=row["rules"],
        options=tuple(Option.read(option) for option in row["options"]),
        retired=row.get("retired_at") is not None,
        limits=row["limits"],
        slot=row["slot"],
    )


HIDDEN, READ_ONLY = "hidden", "read-only"
NO_SHEET = "There is no such sheet, or it is not shared with you."
NO_LINK = "This link doesn't work any more. Ask the sender for a new one."
NOT_BY_LINK = "A public link does not allow this."

MOST_KNOWN = 2000
_KNOWN: WeakKeyDictionary[Pool, dict[int, tuple[int, tuple[ColumnInfo, ...]]]] = WeakKeyDictionary()
SHEET_FIELDS = list(SheetInfo.__dataclass_fields__)
# What a request has to read of the columns: nothing where this process knows them.
_COLUMNS = """
           CASE WHEN s.columns_version <> :known THEN coalesce(
               (SELECT jsonb_agg(to_jsonb(k) ORDER BY k.position, k.column_id)
                FROM columns k WHERE k.sheet_id = s.sheet_id AND k.retired_at IS NULL), '[]') END AS columns"""
# One statement answers who, what and which columns: it opens every request, so it is one round trip.
LOAD_SQL = f"""
    SELECT s.*, l.level, l.row_scope,
           CASE l.row_scope
               WHEN 'own' THEN ARRAY[l.user_id]
               -- The team of the share or, where it was made to the person, every team of theirs.
               WHEN 'team' THEN ARRAY(
                   SELECT l.user_id UNION SELECT m.user_id FROM team_members m
                   WHERE m.team_id = l.scope_team AND m.accepted_at IS NOT NULL
                   UNION SELECT m.user_id FROM team_members mine JOIN team_members m USING (team_id)
                   WHERE mine.user_id = l.user_id AND l.scope_team IS NULL
                     AND mine.accepted_at IS NOT NULL AND m.accepted_at IS NOT NULL ORDER BY 1)
           END AS owners,{_COLUMNS},
           -- A transaction that has written may see columns of its own that are never committed.
           pg_current_xact_id_if_assigned() IS NULL AS is_committed
    FROM sheet_levels l
    JOIN sheets s ON s.sheet_id = l.sheet_id
    WHERE l.sheet_id = :sheet AND l.user_id = :user
"""  # noqa: S608 - the constant above.
_LOAD = text(LOAD_SQL)
# A visit is as good as its link, and a link as good as the account of who made it: whoever leaves keeps no way in.
LINK_LIVES = """(p.revoked_at IS NULL AND (p.expires_at IS NULL OR p.expires_at > now()) AND EXISTS (
        SELECT FROM sheets s WHERE s.sheet_id = p.sheet_id AND s.archived_at IS NULL) AND EXISTS (
        SELECT FROM users u WHERE u.user_id = p.created_by AND u.is_active))"""
_LOAD_FOR_VISITOR = text(f"""
    SELECT s.*, p.may_export,{_COLUMNS}
    FROM link_visits v JOIN public_links p USING (link_id) JOIN sheets s ON s.sheet_id = p.sheet_id
    WHERE v.visit_id = :visit AND v.expires_at > now() AND s.sheet_id = :sheet AND {LINK_LIVES}
""")  # noqa: S608 - the same.
_PEOPLE_IN_VISIBLE_CELLS = text(f"""
    SELECT u.user_id, u.name FROM users u
    WHERE CAST(u.user_id AS text) IN (
        SELECT r.values ->> k FROM rows r CROSS JOIN unnest(CAST(:keys AS text[])) k WHERE {visible_sql("r")})
    ORDER BY u.name, u.user_id
""")  # noqa: S608 - the same.
