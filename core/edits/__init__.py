"""Writing rows: edits, operations, undo, trash."""
