"""Loading an access: what a principal may see and do in a sheet, as the database says in this transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import NO_LINK, NO_SHEET, Access, ColumnInfo, EarlierType, SheetInfo
from core.access.cache import Columns, access_cache
from core.access.link_view import LinkView
from core.access.related import AccessibleRows
from core.base.actor import Actor, Principal, Visitor
from core.base.errors import NotFound, Refused
from core.base.permissions import Level, Permission, RowScope
from core.column_types.base import Option
from core.column_types.related import NO_ROWS, RelatedRows
from core.credentials.sessions import ACTOR_SQL, actor_from_row
from db.raw_sql import RawStatement

# A session's id as text, a sheet, and the network address of the request.
Entry = tuple[str, int, str | None]


def get_access(session: Session, actor: Principal, sheet_id: int, *permissions: Permission) -> Access:
    """Return the sheet as this principal sees it.

    Raise NotFound where they may not know the sheet, NotAllowed where they lack one of the permissions.
    """
    if isinstance(actor, Visitor):
        access = _load_for_visitor(session, actor, sheet_id)
    else:
        row, columns = session.info.pop(_entered_key(actor, sheet_id), (None, ()))
        if row is None:
            version, columns = access_cache(session).columns(sheet_id)
            parameters = {"sheet": sheet_id, "user": actor.user_id, "known": version}
            row = session.execute(_LOAD, parameters).mappings().one_or_none()
        access = _access_from(session, actor, sheet_id, row, columns)
    access.require(Permission.SHEET_SEE, *permissions)
    return access


def load_related(session: Session, principal: Principal, sheet_id: int) -> tuple[Access | None, RelatedRows]:
    """Return what a principal sees of a related sheet; the visitor of a link sees nothing of any."""
    if isinstance(principal, Visitor):
        return None, NO_ROWS
    try:
        access = get_access(session, principal, sheet_id, Permission.ROWS_SEE)
    except Refused:
        return None, NO_ROWS
    return (None, NO_ROWS) if access.sheet.archived_at else (access, AccessibleRows(session, access))


def enter(session: Session, session_id: str, sheet_id: int, *, address: str | None) -> Actor | None:
    """Return the person of a session, None where it has ended, and load their access for the next get_access().

    Person and access are one statement.
    """
    key = _uuid(session_id)
    if key is None:
        return None
    version, columns = access_cache(session).columns(sheet_id)
    row = _ENTER.row(session, {"id": key, "sheet": sheet_id, "known": version})
    return _entered(session, row, columns, key, address) if row else None


def enter_together(session: Session, entries: Sequence[Entry]) -> list[Actor | None]:
    """Return the persons of many sessions, as `enter` does, in one statement."""
    if len(entries) == 1:  # The statement for one takes a quarter of the time.
        return [enter(session, session_id, sheet_id, address=address) for session_id, sheet_id, address in entries]
    cache = access_cache(session)
    cached = [cache.columns(sheet_id) for _, sheet_id, _ in entries]
    parameters = {
        "ids": [_uuid(session_id) for session_id, _, _ in entries],
        "sheets": [sheet_id for _, sheet_id, _ in entries],
        "known": [version for version, _ in cached],
    }
    actors: list[Actor | None] = [None] * len(entries)
    for row in _ENTER_TOGETHER.all(session, parameters):
        index = row["number"] - 1
        actors[index] = _entered(session, row, cached[index][1], row["session_id"], entries[index][2])
    return actors


def recall_together(session: Session, entries: Sequence[Entry]) -> list[Actor | None]:
    """Return the persons of many sessions, those with a cached access without a look at the database.

    Only for statements that judge the session again: see core.access.cache.
    """
    accesses = [cached_access(session, session_id, sheet_id) for session_id, sheet_id, _ in entries]
    uncached = [entry for entry, access in zip(entries, accesses, strict=True) if access is None]
    entered = iter(enter_together(session, uncached) if uncached else ())
    return [access.actor if access else next(entered) for access in accesses]


def cached_access(session: Session, session_id: str, sheet_id: int) -> Access | None:
    """Return the cached access of a session, by its id as text."""
    return access_cache(session).access(session, _uuid(session_id), sheet_id)


def column_info(row: Mapping[Any, Any]) -> ColumnInfo:
    """Return the ColumnInfo of a row of the columns table."""
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
        earlier=tuple(EarlierType.read(earlier) for earlier in row.get("earlier") or ()),
        default_value=row.get("default_value"),
    )


def _access_from(
    session: Session, actor: Actor, sheet_id: int, row: Mapping[Any, Any] | None, columns: Columns
) -> Access:
    """Return the access of a loaded row. `columns` are those whose version the statement was asked to compare.

    They may not be read from the cache afterwards: another thread may have stored those of another version.
    """
    if row is None or row["level"] is None:
        raise NotFound(NO_SHEET)
    if row["columns"] is not None:
        columns = tuple(map(column_info, row["columns"]))
        if row["is_committed"]:
            access_cache(session).store_columns(sheet_id, row["columns_version"], columns)
    return Access(
        principal=actor,
        sheet=_sheet_info(row),
        level=Level(row["level"]),
        every_column=columns,
        row_scope=RowScope(row["row_scope"]),
        owners=None if row["owners"] is None else tuple(map(str, row["owners"])),
        _session=session,
        _load_related=load_related,
    )


def _load_for_visitor(session: Session, visitor: Visitor, sheet_id: int) -> Access:
    """The rows and columns that the link may show, while it lives; what it allows is read again each time.

    Raises NotFound, also where the view of the link has a filter that is not valid any more.
    """
    if visitor.sheet_id != sheet_id:
        raise NotFound(NO_SHEET)
    version, columns = access_cache(session).columns(sheet_id)
    parameters = {"sheet": sheet_id, "visit": visitor.visit_id, "known": version}
    row = session.execute(_LOAD_FOR_VISITOR, parameters).mappings().one_or_none()
    if row is None:
        raise NotFound(NO_LINK)
    if row["columns"] is not None:
        columns = tuple(map(column_info, row["columns"]))
    access = Access(
        principal=replace(visitor, may_export=row["may_export"]),
        sheet=_sheet_info(row),
        level=Level.LINK,
        every_column=columns,
        row_scope=RowScope.ALL,
        owners=None,
        _session=session,
        link_view=_link_view(row),
        _load_related=load_related,
    )
    _ = access.row_gate  # So that a filter which is not valid any more ends the visit, whatever it asks for.
    return access


def _link_view(row: Mapping[Any, Any]) -> LinkView | None:
    if row["view_id"] is None:
        return None
    return LinkView(row["view_id"], row["view_kind"], row["view_name"], row["view_settings"])


def _sheet_info(row: Mapping[Any, Any]) -> SheetInfo:
    return SheetInfo(**{name: row[name] for name in SheetInfo.__dataclass_fields__})


def _entered(
    session: Session, row: dict[str, Any], columns: Columns, session_id: UUID, address: str | None
) -> Actor | None:
    actor = actor_from_row({**row, "name": row["user_name"]}, session_id, address)
    if actor and row["sheet_id"] is not None:
        session.info[_entered_key(actor, row["sheet_id"])] = row, columns
    return actor


def _entered_key(actor: Actor, sheet_id: int) -> tuple[str, int, int]:
    return "entered", actor.user_id, sheet_id


def _uuid(session_id: str) -> UUID | None:
    try:
        return UUID(session_id)
    except ValueError:
        return None


# What a request has to read of the columns: nothing where this process knows them.
_COLUMNS = """
           CASE WHEN s.columns_version <> :known THEN coalesce(
               (SELECT jsonb_agg(to_jsonb(k) ORDER BY k.position, k.column_id)
                FROM columns k WHERE k.sheet_id = s.sheet_id AND k.retired_at IS NULL), '[]') END AS columns"""
# One statement answers who, what and which columns: it opens every request, so it is one round trip.
_LOAD_SQL = f"""
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
"""  # noqa: S608 - constants of this module.
_LOAD = text(_LOAD_SQL)
# A visit ends with its link, and a link with the account of the person who made it and with the view that it shows.
LINK_LIVES = """(p.revoked_at IS NULL AND (p.expires_at IS NULL OR p.expires_at > now()) AND EXISTS (
        SELECT FROM sheets s WHERE s.sheet_id = p.sheet_id AND s.archived_at IS NULL) AND EXISTS (
        SELECT FROM users u WHERE u.user_id = p.created_by AND u.is_active)
    AND (p.view_id IS NULL OR EXISTS (
        SELECT FROM views w WHERE w.view_id = p.view_id AND w.sheet_id = p.sheet_id)))"""
_LOAD_FOR_VISITOR = text(f"""
    SELECT s.*, p.may_export, p.view_id, w.kind AS view_kind, w.name AS view_name, w.settings AS view_settings,
           {_COLUMNS}
    FROM link_visits v JOIN public_links p USING (link_id) JOIN sheets s ON s.sheet_id = p.sheet_id
    LEFT JOIN views w ON w.view_id = p.view_id
    WHERE v.visit_id = :visit AND v.expires_at > now() AND s.sheet_id = :sheet AND {LINK_LIVES}
""")  # noqa: S608 - constants of this module.
_ENTER_FIELDS = "who.user_id, who.name AS user_name, who.email, who.role, entered.*"
_ENTERED_SQL = _LOAD_SQL.replace(":user", "who.user_id")
_ENTER = RawStatement(f"""
    SELECT {_ENTER_FIELDS} FROM ({ACTOR_SQL}) who LEFT JOIN LATERAL ({_ENTERED_SQL}) entered ON true
""")  # noqa: S608 - constants of the two modules.
_ENTER_TOGETHER = RawStatement(f"""
    SELECT entry.number, entry.id AS session_id, {_ENTER_FIELDS}
    FROM unnest(CAST(:ids AS uuid[]), CAST(:sheets AS bigint[]), CAST(:known AS bigint[]))
        WITH ORDINALITY AS entry (id, sheet, known, number)
    JOIN LATERAL ({ACTOR_SQL.replace(":id", "entry.id")}) who ON true
    LEFT JOIN LATERAL ({_ENTERED_SQL.replace(":sheet", "entry.sheet").replace(":known", "entry.known")}) entered ON true
""")  # noqa: S608 - constants of the two modules.
