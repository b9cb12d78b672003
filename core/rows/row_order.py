"""Row orders: the ids of a view's rows, kept compactly, so that any page of a million sorted rows is one look-up.

An order does not change after it was made: rows keep their positions while a user edits.
"""

import secrets
from array import array
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import LargeBinary, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from core.access.access import Access
from core.base.errors import NotFound
from core.rows.as_of import over
from core.rows.query import View, conditions, ordering, resolve, view_origin

MAX_BYTES = 256 * 2**20
MAX_REQUESTED = 1000
# What an order depends on: the cells that may be seen, the view, the versions of the sheets that it reads.
Versions = tuple[tuple[int, int], ...]
Key = tuple[str, str, Versions]


@dataclass(frozen=True)
class Order:
    """A view's row ids in order, as of a version of the sheet."""

    token: str
    scope: str
    fingerprint: str
    versions: Versions
    ids: "array[int]"

    @property
    def version(self) -> int:
        """The version of the sheet itself."""
        return self.versions[0][1]

    @property
    def total(self) -> int:
        return len(self.ids)


class OrderExpired(NotFound):
    """The order was dropped to make room (or the server restarted): request a new one."""


class _OrderCache:
    """The orders of this process, the least used dropped first when they take too much memory."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._orders: OrderedDict[str, Order] = OrderedDict()
        self._tokens: dict[Key, str] = {}
        self._requested: OrderedDict[Key, None] = OrderedDict()
        self._bytes = 0

    def is_first_request(self, key: Key) -> bool:
        """Whether this order was not requested lately."""
        with self._lock:
            first = key not in self._requested
            self._requested[key] = None
            self._requested.move_to_end(key)
            if len(self._requested) > MAX_REQUESTED:
                self._requested.popitem(last=False)
            return first

    def get(self, token: str) -> Order | None:
        with self._lock:
            if token in self._orders:
                self._orders.move_to_end(token)
            return self._orders.get(token)

    def find(self, scope: str, fingerprint: str, versions: Versions) -> Order | None:
        return self.get(self._tokens.get((scope, fingerprint, versions), ""))

    def put(self, order: Order) -> None:
        with self._lock:
            self._orders[order.token] = order
            self._tokens[order.scope, order.fingerprint, order.versions] = order.token
            self._bytes += order.ids.itemsize * order.total + 1000
            while self._bytes > MAX_BYTES and len(self._orders) > 1:
                _, dropped = self._orders.popitem(last=False)
                self._tokens.pop((dropped.scope, dropped.fingerprint, dropped.versions), None)
                self._bytes -= dropped.ids.itemsize * dropped.total + 1000


_order_cache = _OrderCache()


def row_order(session: Session, access: Access, view: View) -> Order:
    """Return the order of a view's rows now; cached until the sheet changes, for all who see the same cells."""
    view = resolve(access, view)
    order = _order_cache.find(access.scope, view.fingerprint, access.versions)
    if order is None:
        ids = _ids(session, access, view)
        token = secrets.token_urlsafe(16)
        order = Order(token, access.scope, view.fingerprint, access.versions, ids)
        _order_cache.put(order)
    return order


def order_if_requested_again(session: Session, access: Access, view: View) -> Order | None:
    """Return the order where it is cached, or make it where the view is read a second time; else None."""
    if view.is_plain:  # The index has this order.
        return None
    view = resolve(access, view)
    if _order_cache.is_first_request((access.scope, view.fingerprint, access.versions)):
        return _order_cache.find(access.scope, view.fingerprint, access.versions)
    return row_order(session, access, view)


def cached_order(access: Access, token: str) -> Order:
    """An order made before, if this person still sees the same cells."""
    order = _order_cache.get(token)
    if order is None or order.scope != access.scope:
        raise OrderExpired("This order of rows is not stored any more. Ask for it again.")
    return order


def _ids(session: Session, access: Access, view: View) -> "array[int]":
    """All ids in order. As one string of four-byte numbers: a million rows are 4 MB and no Python objects."""
    origin = view_origin(access, view).joining()
    number = func.int4send(origin.row_id, type_=LargeBinary)
    separator = aggregate_order_by(literal(b"", LargeBinary), *ordering(access, view, origin))
    together = func.string_agg(number, separator, type_=LargeBinary)
    holds = conditions(access, view, origin)
    packed = session.scalar(over(access, select(together).select_from(origin.selectable).where(holds)))
    ids = array("i", bytes(packed or b""))
    ids.byteswap()
    return ids
