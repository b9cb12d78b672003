"""The demo workspace: four people, a pipeline with eighteen months of history, accounts and contacts."""

from core.demo.seed import Progress, is_seeded, seed, status

__all__ = ["Progress", "is_seeded", "seed", "status"]
