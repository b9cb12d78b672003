"""The registry of the dashboard's figures. Each is computed and cached on its own, and requested by its name."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from core.access.access import Access
from core.pipeline.breakdowns import by_age, by_owner, by_stage, closed_by, top_accounts
from core.pipeline.conversion import basis_of
from core.pipeline.deals import Deals
from core.pipeline.figure_cache import FigureKey, figure_cache
from core.pipeline.figure_types import Figures
from core.pipeline.headline import headline
from core.pipeline.pipeline import get_pipeline
from core.rows.query import View, resolve


@dataclass(frozen=True)
class Figure:
    """How a figure is computed, and whether it depends on the day."""

    compute: Callable[[Deals], Any]
    by_day: bool = False


# A new figure is an entry here and a property of Figures.
FIGURES: dict[str, Figure] = {
    "headline": Figure(headline, by_day=True),
    "stages": Figure(by_stage),
    "months": Figure(partial(closed_by, unit="month"), by_day=True),
    "quarters": Figure(partial(closed_by, unit="quarter"), by_day=True),
    "owners": Figure(by_owner),
    "ages": Figure(by_age, by_day=True),
    "accounts": Figure(top_accounts),
}


def figures(session: Session, access: Access, view: View, *names: str, today: date) -> Figures:
    """Return these figures of a view of a pipeline (none named: all). Raises Invalid where the sheet is a plain table.

    Figures that need the same sums share one statement; a cached figure needs none.
    """
    view = resolve(access, view)
    deals: Deals | None = None
    values: dict[str, Any] = {}
    pipeline = get_pipeline(access)
    basis = basis_of(session, pipeline.amount)
    basis_hash, rates_day = hash(basis), today if basis.conversion else None
    for name in names or FIGURES:
        key = _key(access, view, name, today if FIGURES[name].by_day else rates_day, basis_hash)
        figure = figure_cache.get(key)
        if figure is None:
            deals = deals or Deals(session, pipeline, view, today, basis)
            figure = FIGURES[name].compute(deals)
            figure_cache.put(key, figure)
        values[name] = figure
    return Figures(access.sheet.version, values, basis.conversion)


def _key(access: Access, view: View, name: str, day: date | None, basis: int) -> FigureKey:
    return FigureKey(
        name=name,
        scope=access.scope,
        view=view.fingerprint,
        versions=access.versions,
        parts=tuple(sorted(access.sheet.pipeline.items())),
        today=day,
        basis=basis,
    )
