"""Read-only access to a sheet as it was at an instant, for every reader of rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import CTE, Select, text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.access.row_gate import scope_sql
from core.base.actor import Principal
from core.base.errors import Invalid
from core.base.permissions import Permission
from db.tables.sheets import Row

READING = {Permission.SHEET_SEE, Permission.ROWS_SEE, Permission.ROWS_EXPORT, Permission.HISTORY_SEE}
SHAPE = "An instant looks like 2026-11-20T18:00:00Z or 2026-11-20; a version of the sheet like version:120."
_VERSION = re.compile(r"version:([0-9]{1,18})")


@dataclass(frozen=True)
class PastAccess(Access):
    """The access to an earlier version of a sheet, with today's rights. `sheet.version` is the earlier version.

    `moment` is the instant that was asked for; without one it is that of the version's change.
    """

    moment: datetime | None = None

    @property
    def permissions(self) -> frozenset[Permission]:
        return super().permissions & READING

    @property
    def is_past(self) -> bool:
        return True

    @cached_property
    def today(self) -> date:
        """The day of the moment in the workspace's time zone, which TODAY() gives."""
        moment = self.moment
        if moment is None:
            parameters = {"sheet": self.sheet.sheet_id, "version": self.sheet.version}
            moment = self._session.scalar(_MOMENT, parameters) or self.sheet.created_at
        return moment.astimezone(ZoneInfo(self.time_zone)).date()

    @cached_property
    def scope(self) -> str:
        return f"{super().scope}:as of {self.sheet.version}"


def get_access_as_of(
    session: Session, actor: Principal, sheet_id: int, instant: str | None, *permissions: Permission
) -> Access:
    """The sheet as this actor sees it as of an instant (ISO, or version:N); as it is now where there is none."""
    if instant is None:
        return get_access(session, actor, sheet_id, *permissions)
    access = get_access(session, actor, sheet_id, Permission.HISTORY_SEE, *permissions)
    version = version_at(session, access, instant)
    return as_of(access, version, None if _VERSION.fullmatch(instant.strip()) else instant_of(instant))


def as_of(access: Access, version: int, moment: datetime | None = None) -> PastAccess:
    """The same person's view of the sheet at a version: today's rights and columns, with the types of then."""
    values = {field.name: getattr(access, field.name) for field in fields(Access)}
    columns = tuple(column.at(version) for column in access.every_column)
    sheet = replace(access.sheet, version=version)
    return PastAccess(**values | {"sheet": sheet, "every_column": columns, "moment": moment})


def version_at(session: Session, access: Access, instant: str) -> int:
    """The version of the sheet at an instant of its business time: 0 before its first change. Raises Invalid."""
    access.require(Permission.HISTORY_SEE)
    if match := _VERSION.fullmatch(instant.strip()):
        version = int(match[1])
        if version > access.sheet.version:
            raise Invalid(f"There is no version {version} of this sheet yet; it is at version {access.sheet.version}.")
        return version
    parameters = {"sheet": access.sheet.sheet_id, "latest": access.sheet.version, "at": instant_of(instant)}
    return session.scalar(_AT, parameters) or 0


def instant_of(instant_text: str) -> datetime:
    """The instant of an ISO text, in UTC where it names no zone. Raises Invalid."""
    try:
        instant = datetime.fromisoformat(instant_text.strip())
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(f"“{instant_text[:40]}” is not an instant. {SHAPE}") from error


def over(access: Access, statement: Select[Any], *, ids: Sequence[int] | None = None) -> Select[Any]:
    """The statement over the rows that this access is of: those of now, or those of the past.

    The derived table has the name of the real one, which it hides, so that no query needs to know of the past.
    `ids` are the only rows that the statement asks for, where they are known: it then reads no other row's history.
    """
    return statement.add_cte(_rows(access, ids)) if isinstance(access, PastAccess) else statement


def _rows(access: PastAccess, ids: Sequence[int] | None) -> CTE:
    parameters = access.row_gate.parameters() | {"past": access.sheet.version}
    rows = _PAST.bindparams(**parameters) if ids is None else _PAST_OF.bindparams(**parameters, ids=list(ids))
    columns = (Row.sheet_id, Row.row_id, Row.values, Row.folded, Row.created_version, Row.deleted_version)
    return rows.columns(*columns).cte(Row.__tablename__)


_MOMENT = text("SELECT max(effective_at) FROM changes WHERE sheet_id = :sheet AND version = :version")
# Backwards from now: it costs what has changed since.
_AT = text("""
    SELECT version FROM changes
    WHERE sheet_id = :sheet AND version <= :latest AND effective_at <= :at
    ORDER BY version DESC LIMIT 1
""")
# Now, less what came after: a cell held what its first later line found there, and so on for whole rows. Its cost is
# that of the later lines; the rows themselves are read as far as a query needs them.
_HELD = "(r.values - later.cells) || coalesce(later.held, CAST('{{}}' AS jsonb))"
_ROWS = f"""
    SELECT r.sheet_id, r.row_id,
           CASE WHEN later.cells IS NULL THEN r.values ELSE {_HELD} END AS values,
           CASE WHEN later.cells IS NULL THEN r.folded ELSE fold_cells({_HELD}) END AS folded,
           r.created_version, CAST(NULL AS bigint) AS deleted_version
    FROM rows r
    LEFT JOIN (
        SELECT row_id,
               array_agg(CAST(column_id AS text)) FILTER (WHERE column_id > 0) AS cells,
               jsonb_object_agg(column_id, old) FILTER (WHERE column_id > 0 AND old IS NOT NULL) AS held,
               min(kind) FILTER (WHERE column_id = 0) AS whole
        FROM (
            SELECT DISTINCT ON (row_id, column_id) row_id, column_id, kind,
                   CASE WHEN column_id > 0 THEN old END AS old
            FROM changes
            WHERE sheet_id = :sheet AND version > :past {{narrowed}}
            ORDER BY row_id, column_id, version
        ) first_lines
        GROUP BY row_id
    ) later ON later.row_id = r.row_id
    WHERE {scope_sql("r")}
      AND CASE WHEN later.whole IS NULL THEN r.created_version <= :past AND r.deleted_version IS NULL
               ELSE later.whole = 'remove' END
"""  # noqa: S608 - The gate of core.access.
_PAST = text(_ROWS.format(narrowed=""))
_PAST_OF = text(_ROWS.format(narrowed="AND row_id = ANY(CAST(:ids AS integer[]))"))
