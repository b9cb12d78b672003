"""Who is in a sheet, and where."""
