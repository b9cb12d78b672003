"""The deals of a view, counted and summed in SQL. Figures that need the same sums share one statement."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Numeric,
    RowMapping,
    Text,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.column_types import column_type
from core.pipeline.conversion import Basis
from core.pipeline.pipeline import LOST, OPEN, WON, Pipeline
from core.rows.query import View, conditions, view_origin
from core.rows.row_source import ADDED, Origin
from db.folding import folded

# Days since a deal began, from and to, both included.
AGES = ((0, 30), (31, 60), (61, 90), (91, 180), (181, None))


@dataclass(frozen=True)
class Measure:
    """The deals of one stage, one month of closing (its first day) and one age (a number of AGES, from 1).

    `valued` counts the deals that have an amount, `overdue` those whose close date is before today.
    """

    stage: str | None
    month: date | None
    age: int | None
    count: int
    valued: int
    amount: Decimal
    weighted: Decimal
    overdue: int


@dataclass(frozen=True)
class Group:
    """The deals with one value in a column: `text` is how one of the rows writes it."""

    value: str | None
    text: str
    open_count: int
    open_amount: Decimal
    weighted: Decimal
    won_count: int
    won_amount: Decimal
    lost_count: int


class Deals:
    """The deals of a view as of a day. Built once a view, so that its figures share conditions and sums."""

    def __init__(self, session: Session, pipeline: Pipeline, view: View, today: date, basis: Basis) -> None:
        self.pipeline, self.view, self.today = pipeline, view, today
        self.year_starts, self._conversion = basis.year_starts, basis.conversion
        self._session = session
        self._conditions: dict[Origin, ColumnElement[bool]] = {}

    @cached_property
    def measures(self) -> list[Measure]:
        """The sums by stage, by month of closing and, where a column has the day of creation, by age."""
        pipeline = self.pipeline
        source = self._source(pipeline.close_date, pipeline.created)
        return self._measured(source, source.condition, close=pipeline.close_date, begun=pipeline.created)

    @cached_property
    def open_measures_by_age(self) -> list[Measure]:
        """The sums of the open deals by stage and age, counted from the day of creation or of adding the row."""
        if self.pipeline.created is not None:
            return self.of_kind(OPEN)
        source = self._source(ADDED)
        stage, closed = self._stage(source), [*self.pipeline.stage_ids(WON), *self.pipeline.stage_ids(LOST)]
        is_open = or_(stage.is_(None), stage.not_in(closed))
        return self._measured(source, source.condition & is_open, close=None, begun=ADDED)

    def of_kind(self, kind: str) -> list[Measure]:
        """Return the sums of the open, won or lost deals."""
        return [measure for measure in self.measures if self.pipeline.kind_of(measure.stage) == kind]

    def median_cycle_days(self) -> Decimal | None:
        """Return the median of the days from creation to closing over the won deals; None where no deal has both."""
        close, created, won = self.pipeline.close_date, self.pipeline.created, self.pipeline.stage_ids(WON)
        if close is None or created is None or not won:
            return None
        source = self._source(close, created)
        days = cast(source.cell(close).text, Date) - cast(source.cell(created).text, Date)
        median = func.percentile_cont(0.5).within_group(cast(days, Integer).asc())
        won_deals = select(median).select_from(source.table).where(source.condition, self._stage(source).in_(won))
        value = self._session.scalar(won_deals)
        return None if value is None else Decimal(str(value))

    def groups(self, column: ColumnInfo, *, by_open_and_won: bool, filled_only: bool, limit: int) -> list[Group]:
        """Return the largest groups by a column: by open and won amount together, else by the open one first.

        Deals are grouped by their text first, so that each text is folded once.
        """
        source = self._source(column)
        text = source.cell(column).text
        cells = self._cells(source, source.condition, text=text).subquery()
        kind = self._kind(cells.c.stage)
        by_text = (
            select(
                cells.c["text"],
                *(func.count().filter(kind == each).label(f"{each}_count") for each in (OPEN, WON, LOST)),
                *(func.sum(cells.c.amount).filter(kind == each).label(f"{each}_amount") for each in (OPEN, WON)),
                func.sum(cells.c.weighted).filter(kind == OPEN).label("weighted"),
            )
            .where(*([cells.c["text"].is_not(None)] if filled_only else []))
            .group_by(cells.c["text"])
            .subquery()
        )
        count = {each: cast(func.sum(by_text.c[f"{each}_count"]), Integer) for each in (OPEN, WON, LOST)}
        amount = {each: func.coalesce(func.sum(by_text.c[f"{each}_amount"]), 0) for each in (OPEN, WON)}
        sizes = [amount[OPEN], amount[WON]]
        order = [amount[OPEN] + amount[WON], count[OPEN] + count[WON]] if by_open_and_won else sizes
        by_id = column_type(column.type).groups_by_id
        value = by_text.c["text"] if by_id else folded(by_text.c["text"])
        written = func.min(by_text.c["text"])
        statement = (
            select(
                value.label("value"),
                written.label("text"),
                count[OPEN].label("open_count"),
                amount[OPEN].label("open_amount"),
                func.coalesce(func.sum(by_text.c.weighted), 0).label("weighted"),
                count[WON].label("won_count"),
                amount[WON].label("won_amount"),
                count[LOST].label("lost_count"),
            )
            .group_by("value")
            .order_by(*(size.desc() for size in order), written)
            .limit(limit)
        )
        return [Group(**line) for line in self._session.execute(statement).mappings()]

    def _source(self, *columns: ColumnInfo | None) -> "_Source":
        """Where the deals are read from, if these columns are read besides stage, amount and probability."""
        pipeline, access = self.pipeline, self.pipeline.access
        closed_on = pipeline.close_date if self._conversion else None
        always = (pipeline.stage, pipeline.amount, pipeline.probability, closed_on)
        read = [column for column in (*always, *columns) if column]
        origin = view_origin(access, self.view, *read)
        if origin not in self._conditions:
            self._conditions[origin] = conditions(access, self.view, origin)
        return _Source(origin, self._conditions[origin], access)

    def _measured(
        self, source: "_Source", condition: ColumnElement[bool], *, close: ColumnInfo | None, begun: ColumnInfo | None
    ) -> list[Measure]:
        closed_on = source.cell(close).text if close else cast(null(), Text)
        month = func.left(closed_on, len("2026-11"))
        overdue = closed_on < self.today.isoformat()
        age = self._age(source.cell(begun).text) if begun else cast(null(), Integer)
        cells = self._cells(source, condition, month=month, age=age, overdue=overdue).subquery()
        keys = [cells.c.stage, cells.c.month, cells.c.age]
        statement = select(
            *keys,
            func.count().label("count"),
            func.count(cells.c.amount).label("valued"),
            func.coalesce(func.sum(cells.c.amount), 0).label("amount"),
            func.coalesce(func.sum(cells.c.weighted), 0).label("weighted"),
            func.count().filter(cells.c.overdue).label("overdue"),
        ).group_by(*keys)
        return [_measure(line) for line in self._session.execute(statement).mappings()]

    def _cells(self, source: "_Source", condition: ColumnElement[bool], **more: ColumnElement[Any]) -> Any:
        """The stage, amount and weighted amount of each deal, and more cells.

        The offset keeps PostgreSQL from taking a cell out of its row once more for each sum.
        """
        pipeline = self.pipeline
        stage = self._stage(source)
        amount = self._amount(source, stage, pipeline.amount) if pipeline.amount else None
        cells: dict[str, ColumnElement[Any]] = {
            "stage": stage,
            "amount": cast(null(), Numeric) if amount is None else amount,
            "weighted": cast(null(), Numeric) if amount is None else amount * self._probability(source, stage),
        }
        labels = [cell.label(name) for name, cell in (cells | more).items()]
        return select(*labels).select_from(source.table).where(condition).offset(0)

    def _amount(self, source: "_Source", stage: ColumnElement[str], column: ColumnInfo) -> ColumnElement[Decimal]:
        """The amount of a deal, in the workspace's currency where there are rates."""
        amount: ColumnElement[Decimal] = source.cell(column).number
        if self._conversion is None:
            return amount
        close = self.pipeline.close_date
        closed_on = source.cell(close).text if close else cast(null(), Text)
        return amount * self._conversion.rate(closed_on, self._kind(stage) != OPEN, self.today)

    def _stage(self, source: "_Source") -> ColumnElement[str]:
        stage: ColumnElement[str] = source.cell(self.pipeline.stage).text
        return stage

    def _probability(self, source: "_Source", stage: ColumnElement[str]) -> ColumnElement[Decimal]:
        """The deal's own probability where it has one, else its stage's, from 0 to 1."""
        by_stage = {option.id: _rate(option.probability) for option in self.pipeline.stages}
        of_stage = case(by_stage, value=stage, else_=_rate(0)) if by_stage else _rate(0)
        if self.pipeline.probability is None:
            return of_stage
        of_deal: ColumnElement[Decimal] = source.cell(self.pipeline.probability).number * _rate(1)
        return func.coalesce(of_deal, of_stage)

    def _kind(self, stage: ColumnElement[str]) -> ColumnElement[str]:
        pipeline = self.pipeline
        closed = [(stage.in_(ids), literal(kind)) for kind in (WON, LOST) if (ids := pipeline.stage_ids(kind))]
        return case(*closed, else_=literal(OPEN)) if closed else literal(OPEN)

    def _age(self, begun: ColumnElement[str]) -> ColumnElement[int]:
        """The number of a deal's age among AGES, from the ISO text of the day on which it began."""
        oldest = [(self.today - timedelta(days=high), number) for number, (_, high) in enumerate(AGES, 1) if high]
        young = [(begun >= day.isoformat(), number) for day, number in oldest]
        return case((begun.is_(None), null()), *young, else_=len(AGES))


@dataclass(frozen=True)
class _Source:
    """A source of rows with the condition of the view over it."""

    origin: Origin
    condition: ColumnElement[bool]
    access: Access

    @property
    def table(self) -> Any:
        return self.origin.table

    def cell(self, column: ColumnInfo) -> Any:
        return self.origin.cell(column, self.access)


def _measure(line: RowMapping) -> Measure:
    month = line["month"]
    return Measure(**dict(line) | {"month": None if month is None else date.fromisoformat(f"{month}-01")})


def _rate(percent: Any) -> ColumnElement[Decimal]:
    return literal(Decimal(str(percent or 0)) / 100, Numeric)
