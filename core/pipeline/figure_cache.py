"""The cache of the dashboard's figures, each by what it depends on."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any

MAX_CACHED = 1500


@dataclass(frozen=True)
class FigureKey:
    """What a figure depends on: who sees which cells, the view, the version of each sheet that is read, and the day.

    `parts` says which columns play a part in the pipeline; `today` is None for a figure that does not depend on it.
    """

    name: str
    scope: str
    view: str
    versions: tuple[tuple[int, int], ...]
    parts: tuple[tuple[str, int], ...]
    today: date | None
    basis: int = 0  # The hash of what is taken from the workspace.


class _FigureCache:
    """The figures of this process; those used least recently are dropped first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._figures: OrderedDict[FigureKey, Any] = OrderedDict()

    def get(self, key: FigureKey) -> Any:
        """Return the figure; None where it is not cached."""
        with self._lock:
            if key in self._figures:
                self._figures.move_to_end(key)
            return self._figures.get(key)

    def put(self, key: FigureKey, figure: Any) -> None:
        with self._lock:
            self._figures[key] = figure
            while len(self._figures) > MAX_CACHED:
                self._figures.popitem(last=False)


figure_cache = _FigureCache()
