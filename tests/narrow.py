"""Whether the narrow rows say what the rows say: asked after every test that has a database, whatever it was about."""

# Rows that are live and not narrow or the other way round, and cells that differ: (sheet, row).
APART = """
    SELECT sheet_id, row_id
    FROM (SELECT * FROM rows WHERE deleted_version IS NULL) r
    FULL JOIN narrow_rows n USING (sheet_id, row_id)
    WHERE r.values IS NULL OR n IS NULL OR EXISTS (
        SELECT FROM columns c
        WHERE c.sheet_id = r.sheet_id AND c.slot IS NOT NULL
          AND to_jsonb(n) ->> c.slot IS DISTINCT FROM r.values ->> c.column_id::text)
    ORDER BY 1, 2
"""
