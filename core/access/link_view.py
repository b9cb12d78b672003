"""The view that a public link shows. Its filter and its hidden columns bind all reads of the link's visitors."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from sqlalchemy import Select

VIEW_DELETED = "The view that this link showed has been deleted. Ask the sender for a new link."
VIEW_BROKEN = (
    "The view that this link shows filters by a column that has changed, or that reads another sheet. "
    "Ask the sender for a new link."
)


@dataclass(frozen=True)
class LinkView:
    """A view with the settings that everybody has."""

    view_id: int
    kind: str
    name: str
    settings: Mapping[str, Any] = field(repr=False)

    @property
    def filter(self) -> Any:
        return self.settings.get("filter") or []

    @cached_property
    def hidden(self) -> frozenset[int]:
        """The ids of the columns that the visitor may not know of."""
        return frozenset(self.settings.get("hidden") or ())

    @cached_property
    def fingerprint(self) -> str:
        """Return a text that changes with what the view lets through, and in time with the day of relative dates."""
        bounds = [self.view_id, self.filter, sorted(self.hidden), self.settings.get("search")]
        quarter_hour = int(datetime.now(UTC).timestamp()) // 900
        text = json.dumps([*bounds, quarter_hour], sort_keys=True, default=str)
        return sha256(text.encode()).hexdigest()[:16]


# Takes an Access and returns the ids of the rows that its view lets through, as a statement. Raises NotFound.
RowsOfView = Callable[[Any, LinkView], Select[Any]]
_rows_of_view: list[RowsOfView] = []


def reads_link_views(function: RowsOfView) -> RowsOfView:
    """Register the function that turns a view into a statement. core.rows.query has it, which is above this package."""
    _rows_of_view[:] = [function]
    return function


def rows_of_link_view(access: Any, view: LinkView) -> Select[Any]:
    """Return the ids of the rows that the view lets through. Raises NotFound where its filter is not valid any more."""
    return _rows_of_view[0](access, view)
