"""A filter in words, and the names of what its conditions compare with."""

from dataclasses import dataclass
from typing import Any

from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.accounts import directory
from core.accounts.locale import Locale
from core.base.actor import Actor, Visitor
from core.base.relative_dates import is_relative, relative_label
from core.column_types import column_type
from core.column_types.person import ME
from core.rows.filter_tree import Condition, Join, Node
from core.rows.row_source import ADDED
from db.engine import snapshot
from pages.components.app.format import cell

JOINERS: dict[Join, str] = {"all": "and", "any": "or"}


@dataclass(frozen=True)
class FilterText:
    """Writes nodes of a filter as their reader knows columns, people, options and dates."""

    access: Access
    locale: Locale

    def of(self, node: Node) -> str:
        """Return a node in words: “Stage is any of Lead, Won or Amount > 5”."""
        if isinstance(node, Condition):
            return self._condition(node)
        texts = [self.of(each) if isinstance(each, Condition) else f"({self.of(each)})" for each in node.nodes]
        return f" {JOINERS[node.join]} ".join(texts)

    def _condition(self, condition: Condition) -> str:
        column = filter_columns(self.access)[condition.column]
        operator = column_type(column.type).filters[condition.op]
        values = condition.value if isinstance(condition.value, list) else [condition.value]
        names = names_of(self.access, column, values)
        texts = [names.get(str(value)) or self._value(value, column) for value in values]
        joiner = " and " if operator.takes == "two" else ", "
        return f"{column.name} {operator.label} {'' if operator.takes == 'none' else joiner.join(texts)}".strip()

    def _value(self, value: Any, column: ColumnInfo) -> str:
        if column_type(column.type).is_date and is_relative(value):
            return relative_label(value)
        return cell(str(value), column, self.locale)


def filter_columns(access: Access) -> dict[int, ColumnInfo]:
    """Return what can be filtered by: the columns, and the day on which a row was added."""
    return {**access.by_id, ADDED.column_id: ADDED}


def choices_of(access: Access, column: ColumnInfo) -> dict[str, str]:
    """Return the names of all that a column may hold by their ids: its options, or people, the reader first."""
    kind = column_type(column.type)
    if not (kind.names_people or kind.names_rows):
        return {option.id: option.label + (" (retired)" if option.retired else "") for option in column.options}
    with snapshot() as session:
        labels = kind.labels(column, get_access(session, access.principal, access.sheet.sheet_id).references)
    return _me(access) | labels if kind.names_people else labels


def names_of(access: Access, column: ColumnInfo, values: list[Any]) -> dict[str, str]:
    """Return the names of some ids in a column. Only a visitor's are looked for among the people they may see."""
    if not column_type(column.type).names_people or isinstance(access.principal, Visitor):
        return choices_of(access, column)
    with snapshot() as session:
        return _me(access) | directory.names_of(session, [str(value) for value in values if value != ME])


def _me(access: Access) -> dict[str, str]:
    return {ME: "Me"} if isinstance(access.principal, Actor) else {}
