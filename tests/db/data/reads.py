"""The requests that fill.py sends to the code of commit 1dea449 and tests/db/test_upgrade.py sends to today's code.

They go to the API, whose routes and fields both have. Nothing of core is imported, because its modules have moved.
"""

import json
from collections.abc import Iterator
from typing import Any, Protocol

PASSWORD = "correct horse battery staple 14"
PEOPLE = ("ada", "mia", "ann", "ben", "cleo")  # Dan is deactivated.
DEALS, TYPES, CONTACTS, ARCHIVED = 1, 2, 3, 4
TODAY = "2026-06-15"  # The day of the dashboard's figures.
Query = dict[str, str]
AUDIT_TRAILS: dict[str, Query] = {"ada": {"limit": "500"}, "ann": {"limit": "500", "sheet": str(DEALS)}}

VIEWS: dict[int, dict[str, Query]] = {
    DEALS: {
        "all": {},
        "by amount": {"sort": "-4,1"},
        "by stage and close": {"sort": "3,-7"},
        "open": {"filter": json.dumps([{"column": 3, "op": "is_any_of", "value": ["o1", "o2", "o3"]}]), "sort": "1"},
        "of Ann": {"filter": json.dumps([{"column": 5, "op": "is_any_of", "value": ["3"]}])},
        "over 5000": {"filter": json.dumps([{"column": 4, "op": "gt", "value": "5000"}]), "sort": "4"},
        "closing in 2026": {"filter": json.dumps([{"column": 7, "op": "before", "value": "2026-07-01"}])},
        "no amount": {"filter": json.dumps([{"column": 4, "op": "is_empty"}])},
        "search acme": {"search": "acme"},
        "search a label": {"search": "negotiation"},
        "search a letter with an accent": {"search": "Łódź", "sort": "2"},
    },
    TYPES: {
        "all": {},
        **{f"sorted by {column}": {"sort": f"{column},1"} for column in range(3, 17)},
        **{
            f"empty {column}": {"filter": json.dumps([{"column": column, "op": "is_empty"}])}
            for column in range(3, 17)
            if column != 12
        },
        "ticked": {"filter": json.dumps([{"column": 12, "op": "is_true"}])},
        "search": {"search": "example.com"},
    },
    CONTACTS: {"all": {}, "by name": {"sort": "1"}},
}


class Ask(Protocol):
    """Send GET to a path under /api/v1 as this person, or as the visitor of the public link."""

    def __call__(self, person: str, path: str, query: Query) -> Any: ...


def requests(instants: list[str]) -> Iterator[tuple[str, str, Query]]:
    """Yield every request: who asks, the path and the query."""
    for person in PEOPLE:
        yield person, "/me", {}
        yield person, "/people", {}
        yield person, "/teams", {}
        yield person, "/sheets", {}
        yield person, "/sheets", {"archived": "true"}
        for sheet in (DEALS, TYPES, CONTACTS, ARCHIVED):
            yield person, f"/sheets/{sheet}", {}
            yield person, f"/sheets/{sheet}/columns", {}
            yield person, f"/sheets/{sheet}/rows", {"limit": "1000"}
            for path in ("layout", "undo", "collaborators", "links", "trash", "history"):
                yield person, f"/sheets/{sheet}/{path}", {}
            yield person, f"/sheets/{sheet}/changes", {"since": "3"}
        for row in (1, 2, 5, 30):
            for path in ("", "/history", "/comments"):
                yield person, f"/sheets/{DEALS}/rows/{row}{path}", {}
        yield person, f"/sheets/{DEALS}/rows/2/cells/4/history", {}
        for as_of in ["version:2", "version:5", *instants]:
            yield person, f"/sheets/{DEALS}/rows", {"as_of": as_of, "sort": "1", "limit": "1000"}
            yield person, f"/sheets/{DEALS}/difference", {"from": as_of}
        yield person, f"/sheets/{DEALS}/difference", {"from": "version:2", "to": "version:9"}
        yield person, f"/sheets/{DEALS}/export", {"format": "csv", "sort": "1"}
    for sheet, views in VIEWS.items():
        for person in ("ann", "ben"):
            for query in views.values():
                yield person, f"/sheets/{sheet}/rows", query | {"limit": "1000"}
    for sheet in (DEALS, TYPES, CONTACTS):
        yield "ann", f"/sheets/{sheet}/export", {"format": "csv"}
    yield "ann", f"/sheets/{DEALS}/export", {"format": "csv", "as_of": "version:5"}
    for path, query in (("", {}), ("/rows", {"limit": "1000"}), ("/rows/1", {}), ("/changes", {"since": "2"})):
        yield "visitor", f"/sheets/{DEALS}{path}", query
    yield "visitor", f"/sheets/{DEALS}/export", {"format": "csv"}
    for path in ("people", "sheets", "registration"):  # Invitations end by the clock.
        yield "ada", f"/admin/{path}", {}


def key(person: str, path: str, query: Query) -> str:
    return f"{person} {path} {json.dumps(query, sort_keys=True)}" if query else f"{person} {path}"


def read_all(ask: Ask, instants: list[str]) -> dict[str, Any]:
    """The answer to every request, by its key."""
    return {key(*request): ask(*request) for request in requests(instants)}
