"""Rate limits, login throttling, and the known devices of users."""
