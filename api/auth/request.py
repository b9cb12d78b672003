"""Parameters that many routes share: the caller, the sheet, the view of its rows."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from api.auth.principal import actor_of, current_actor, current_principal, principal_of, reads_only
from api.http.json_body import read_json
from core.access.access import Access
from core.base.actor import Actor, Principal
from core.base.errors import Invalid
from core.rows.query import View
from core.views.views import get_view
from db.engine import snapshot, transaction

MAX_ID = 2**63 - 1
MAX_ROW_ID = 2**31 - 1

CurrentActor = Annotated[Actor, Depends(current_actor)]
CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


@dataclass(frozen=True)
class Caller:
    """The sender of a request, not authenticated yet."""

    headers: Mapping[str, str]
    address: str | None
    sheet: int | None
    only_reads: bool = False

    @contextmanager
    def transaction(self) -> Iterator[tuple[Session, Actor]]:
        """Open the request's transaction and authenticate the caller in it. Raises NotSignedIn.

        A request that only reads gets a snapshot, so that its rows and its version belong together.
        """
        with self._session() as session:
            actor = actor_of(session, self.headers, address=self.address, sheet=self.sheet, only_reads=self.only_reads)
            yield session, actor

    @contextmanager
    def principal_transaction(self) -> Iterator[tuple[Session, Principal]]:
        """Open the transaction of a request that link visitors may send, too. Raises NotSignedIn or LinkExpired."""
        with self._session() as session:
            yield (
                session,
                principal_of(session, self.headers, address=self.address, sheet=self.sheet, only_reads=self.only_reads),
            )

    def _session(self) -> AbstractContextManager[Session]:
        return snapshot() if self.only_reads else transaction()


async def caller(connection: HTTPConnection) -> Caller:
    """The caller of a request. The session is looked up when the transaction starts."""
    sheet = str(connection.path_params.get("sheet", ""))
    is_number = sheet.isascii() and sheet.isdigit() and int(sheet[:20]) <= MAX_ID
    address = connection.client.host if connection.client else None
    return Caller(connection.headers, address, int(sheet) if is_number else None, reads_only(connection))


CallerDep = Annotated[Caller, Depends(caller)]
SheetId = Annotated[int, Path(description="The sheet's number.", ge=1, le=MAX_ID)]
ColumnId = Annotated[int, Path(description="The column's number in its sheet.", ge=1, le=MAX_ROW_ID)]
RowId = Annotated[int, Path(description="The row's number in its sheet.", ge=1, le=MAX_ROW_ID)]
ViewId = Annotated[int, Path(description="The view's number.", ge=1, le=MAX_ID)]
LinkId = Annotated[int, Path(description="The link's number.", ge=1, le=MAX_ID)]

AsOf = Annotated[
    str | None,
    Query(
        max_length=60,
        description="The rows as of a time in ISO 8601 (`2026-11-20T18:00:00Z`; UTC without a time zone), or as of "
        "`version:120`. The rights and columns are those of now.",
    ),
]

SORT = 'JSON: `[{"column": 3, "descending": true}, …]`; short form: `-3,5`.'
FILTER = (
    'JSON: a list of conditions that all hold, `[{"column": 3, "op": "is_any_of", "value": ["o1"]}, …]`, or a tree of '
    '`{"all": […]}` and `{"any": […]}`. Dates take `today`, `this_quarter`, `next_30_days` and so on, people take `me`.'
)
SEARCH = "Text in any visible cell of a row."
STORED = (
    "The number of a stored view, with your own changes of it: only its rows, in its order. `filter` narrows it, "
    "`sort` and `search` replace its own."
)


class Strict(BaseModel):
    """A body that accepts its fields with their JSON types, and no others."""

    model_config = ConfigDict(strict=True, extra="forbid")


async def view_from_query(
    sort: Annotated[str, Query(description=SORT)] = "",
    filter: Annotated[str, Query(description=FILTER)] = "",  # noqa: A002 - The name is the API's.
    search: Annotated[str, Query(description=SEARCH)] = "",
) -> View:
    """The view in a query string. Raises Invalid with the expected form."""
    if any("\x00" in text or "\\u0000" in text for text in (sort, filter, search)):
        raise Invalid("A view can't contain the character NUL.")
    return View.from_json({"sort": _sorts(sort), "filter": _json(filter), "search": search})


@dataclass(frozen=True)
class RequestedView:
    """The view in a query string, and the stored view that it narrows, if any."""

    query: View
    stored: int | None

    def rows(self, session: Session, access: Access) -> View:
        """Return the view of the rows. Raises NotFound where the caller may not see the stored view."""
        return self.query if self.stored is None else get_view(session, access, self.stored).narrowed(self.query)


def requested_view(
    query: Annotated[View, Depends(view_from_query)],
    view: Annotated[int | None, Query(ge=1, le=MAX_ID, description=STORED)] = None,
) -> RequestedView:
    """The view of a request."""
    return RequestedView(query, view)


ViewDep = Annotated[RequestedView, Depends(requested_view)]


def _sorts(text: str) -> Any:
    if not text or text.lstrip().startswith("["):
        return _json(text)
    names = [key.strip() for key in text.split(",")]
    return [{"column": name.removeprefix("-"), "descending": name.startswith("-")} for name in names]


def _json(text: str) -> Any:
    return read_json(text.encode()) if text else []
