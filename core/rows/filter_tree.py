"""The filter of a view: a tree of conditions, joined by “all” and “any”.

As JSON it is a list of conditions that all hold, or a node: `{"all": [node, …]}`, `{"any": [node, …]}` or a condition.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, cast

from core.base.errors import Invalid

MAX_CONDITIONS = 50
MAX_DEPTH = 5
BOUNDS = f"A filter has at most {MAX_CONDITIONS} conditions, in at most {MAX_DEPTH} levels of groups."
SHAPE = 'A group looks like this: {"any": [{"column": 1, "op": "is", "value": "x"}, {"all": […]}]}.'
Join = Literal["all", "any"]


@dataclass(frozen=True)
class Condition:
    """One condition on a column: an operator of its type and the value that it takes."""

    column: int
    op: str
    value: Any = None

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        return cls(int(body["column"]), str(body["op"]), body.get("value"))

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Group:
    """Nodes of which all hold, or at least one."""

    join: Join
    nodes: "tuple[Node, ...]"

    def as_json(self) -> dict[str, Any]:
        return {self.join: [node.as_json() for node in self.nodes]}


Node = Condition | Group


def read_filter(body: Any) -> tuple[Node, ...]:
    """Return the nodes, which all hold, of a filter as JSON. Raises Invalid, KeyError, TypeError or ValueError."""
    nodes = _read_nodes(body, 1) if isinstance(body, list) else (_read_node(body, 1),) if body else ()
    # {"all": […]} at the top says the same as the list.
    while len(nodes) == 1 and isinstance(nodes[0], Group) and nodes[0].join == "all":
        nodes = nodes[0].nodes
    if sum(1 for _ in conditions_of(nodes)) > MAX_CONDITIONS:
        raise Invalid(BOUNDS)
    return nodes


def filter_json(nodes: tuple[Node, ...]) -> Any:
    """Return the filter as JSON: a list where it has no groups, else one node."""
    bodies = [node.as_json() for node in nodes]
    if all(isinstance(node, Condition) for node in nodes):
        return bodies
    return bodies[0] if len(bodies) == 1 else {"all": bodies}


def conditions_of(nodes: Iterable[Node]) -> Iterator[Condition]:
    """Yield every condition of the nodes, in the order in which they are written."""
    for node in nodes:
        if isinstance(node, Condition):
            yield node
        else:
            yield from conditions_of(node.nodes)


def map_conditions(nodes: Iterable[Node], change: Callable[[Condition], Condition | None]) -> tuple[Node, ...]:
    """Return the nodes with every condition changed; None removes it, and a group that has lost all goes with them."""
    changed: list[Node] = []
    for node in nodes:
        if isinstance(node, Group):
            rest = map_conditions(node.nodes, change)
            if rest or not node.nodes:
                changed.append(replace(node, nodes=rest))
        elif (condition := change(node)) is not None:
            changed.append(condition)
    return tuple(changed)


def _read_nodes(bodies: list[Any], depth: int) -> tuple[Node, ...]:
    return tuple(_read_node(body, depth) for body in bodies)


def _read_node(body: Any, depth: int) -> Node:
    if not isinstance(body, dict):
        message = "a node is an object"
        raise TypeError(message)
    if not {"all", "any"} & set(body):
        return Condition.from_json(body)
    if len(body) > 1:
        raise Invalid(SHAPE)
    ((join, bodies),) = body.items()
    if not isinstance(bodies, list):
        raise Invalid(SHAPE)
    if depth > MAX_DEPTH:
        raise Invalid(BOUNDS)
    if join == "any" and not bodies:
        raise Invalid("“any” needs at least one condition: without one, no row matches.")
    return Group(cast("Join", join), _read_nodes(bodies, depth + 1))
