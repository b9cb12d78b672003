"""What people are told of the disk of the database."""

from db.disk import FULL, is_full, reason

__all__ = ["FULL", "is_full", "reason"]
