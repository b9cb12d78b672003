"""The built-in PostgreSQL: its folder, its process, its passwords."""
