"""The draft of a filter: what is in the editor's fields, with conditions that are not complete yet."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from core.access.access import Access, ColumnInfo
from core.base.errors import Refused
from core.column_types import column_type
from core.rows.filter_tree import Condition, Group, Join, Node
from core.rows.query import View, check_view

_numbers = count(1)


@dataclass
class DraftCondition:
    """One line of the editor. `error` says why its value cannot be read; only a complete one is applied."""

    column: int
    op: str
    value: Any = None
    error: str = ""
    is_complete: bool = False
    number: int = field(default_factory=lambda: next(_numbers))


@dataclass
class DraftGroup:
    """Lines and groups of lines, of which all hold, or at least one."""

    join: Join = "all"
    nodes: "list[DraftCondition | DraftGroup]" = field(default_factory=list)
    number: int = field(default_factory=lambda: next(_numbers))


DraftNode = DraftCondition | DraftGroup


def draft_of(nodes: tuple[Node, ...]) -> DraftGroup:
    """Return the draft of a view's filter."""
    root = nodes[0] if len(nodes) == 1 and isinstance(nodes[0], Group) else Group("all", nodes)
    return _draft_group(root)


def filter_of(draft: DraftGroup) -> tuple[Node, ...]:
    """Return the filter of the complete conditions."""
    root = _complete_group(draft)
    return root.nodes if root.join == "all" or len(root.nodes) < 2 else (root,)


def new_condition(column: ColumnInfo) -> DraftCondition:
    """Return a condition on a column with the first operator of its type."""
    return DraftCondition(column.column_id, next(iter(column_type(column.type).filters)))


def check(access: Access, draft: DraftCondition, takes: str) -> None:
    """Set whether a condition is complete, and why the column cannot read its value."""
    values = draft.value if takes in ("two", "many") else [draft.value]
    is_filled = takes == "none" or (bool(values) and all(value not in (None, "") for value in values))
    draft.error, draft.is_complete = "", is_filled
    try:
        check_view(access, View((_condition(draft),) if is_filled else ()))
    except Refused as refusal:
        draft.error, draft.is_complete = refusal.message, False


def remove(group: DraftGroup, node: DraftNode) -> None:
    """Remove a node from a group, and with it the groups that have nothing left."""
    remaining: list[DraftNode] = []
    for each in group.nodes:
        if each is node:
            continue
        if isinstance(each, DraftGroup):
            remove(each, node)
        if isinstance(each, DraftCondition) or each.nodes:
            remaining.append(each)
    group.nodes = remaining


def conditions_in(group: DraftGroup) -> Iterator[DraftCondition]:
    """Yield every condition of a draft."""
    for node in group.nodes:
        if isinstance(node, DraftCondition):
            yield node
        else:
            yield from conditions_in(node)


def complete_nodes(group: DraftGroup) -> list[DraftNode]:
    """Return the nodes of a group that are part of the filter."""
    return [node for node in group.nodes if _is_complete(node)]


def _is_complete(node: DraftNode) -> bool:
    return node.is_complete if isinstance(node, DraftCondition) else any(map(_is_complete, node.nodes))


def _draft_group(group: Group) -> DraftGroup:
    return DraftGroup(group.join, [_draft_node(node) for node in group.nodes])


def _draft_node(node: Node) -> DraftNode:
    if isinstance(node, Group):
        return _draft_group(node)
    return DraftCondition(node.column, node.op, node.value, is_complete=True)


def _complete_group(draft: DraftGroup) -> Group:
    nodes = complete_nodes(draft)
    return Group(
        draft.join, tuple(_condition(n) if isinstance(n, DraftCondition) else _complete_group(n) for n in nodes)
    )


def _condition(draft: DraftCondition) -> Condition:
    return Condition(draft.column, draft.op, draft.value)
