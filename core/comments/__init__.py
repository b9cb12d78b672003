"""Comments on rows."""
