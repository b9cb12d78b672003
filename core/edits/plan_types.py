"""The plan of a batch: what it will write, and what it will not."""

from dataclasses import dataclass, field

from core.base.exact_json import Value
from core.edits.batch import Given, Outcome


@dataclass
class Plan:
    """What a batch will write, and what it will not."""

    outcome: Outcome
    edits: dict[tuple[int, int], Value | None] = field(default_factory=dict)
    adds: dict[str, dict[int, Value | None]] = field(default_factory=dict)
    deletes: list[int] = field(default_factory=list)
    given: dict[tuple[int | str, int], Given] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        return bool(self.edits or self.adds or self.deletes)
