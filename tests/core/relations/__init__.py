"""Relations: rows that name rows of another sheet."""
