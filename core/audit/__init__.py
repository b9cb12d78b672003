"""The audit trail: reading it, its sentences, its chain of digests."""
