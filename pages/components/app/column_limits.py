"""The limits of a column in words, for its form and for the pages that show it."""

from collections.abc import Mapping

from core.access.access import HIDDEN, READ_ONLY
from core.sheets.columns import LIMITED


def limited(now: Mapping[str, str]) -> list[str]:
    """The limits of a column in a few words each: “hidden from editors, viewers”."""
    phrases = {HIDDEN: "hidden from", READ_ONLY: "read-only for"}
    of = {limit: [audience.label.lower() for audience in LIMITED if now.get(audience) == limit] for limit in phrases}
    return [f"{words} {', '.join(of[limit])}" for limit, words in phrases.items() if of[limit]]
