"""A change in a related sheet reaches the sockets of sheets that are computed from it, and only those."""

from uuid import uuid4

from api.live.hub import Hub
from api.live.socket_state import Reader
from core.base.actor import Visitor


def reader(*related: int) -> Reader:
    return Reader(Visitor(1, 1, uuid4()), 7, 1, "", frozenset(related))


def test_sockets_of_sheets_that_are_computed_from_the_changed_one_are_told_once() -> None:
    hub = Hub()
    follower, other = hub.watch(1, reader(2)), hub.watch(1, reader())
    for state in (follower, other):
        state.messages()
    for version in (8, 9, 10):
        hub.publish(2, version)
    assert [message for message in follower.messages() if "related" in message] == ['{"version": 7, "related": true}']
    assert [message for message in other.messages() if "related" in message] == []
    hub.publish(2, 11)
    assert [message for message in follower.messages() if "related" in message] == [], "at most twice a second"
