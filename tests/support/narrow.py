"""Whether the narrow rows and the folded texts say what the rows say: asked after every test that has a database."""

# Rows that are live and not narrow or the other way round, and cells that differ or are folded wrongly: (sheet, row).
APART = """
    SELECT sheet_id, row_id
    FROM (SELECT * FROM rows WHERE deleted_version IS NULL) r
    FULL JOIN narrow_rows n USING (sheet_id, row_id)
    WHERE r.values IS NULL OR n IS NULL OR EXISTS (
        SELECT FROM columns c
        WHERE c.sheet_id = r.sheet_id AND c.slot IS NOT NULL
          AND to_jsonb(n) ->> c.slot IS DISTINCT FROM r.values ->> c.column_id::text)
    UNION
    SELECT sheet_id, row_id FROM rows WHERE folded IS DISTINCT FROM fold_cells(values)
    ORDER BY 1, 2
"""
