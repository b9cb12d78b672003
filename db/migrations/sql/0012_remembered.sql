-- Edits and followers of whom the process remembers how they entered: one statement each, which looks at it once more.

-- An edit need not have read the row: of each cell the version counts that it was decided on, and not of its neighbours.

DROP FUNCTION edit_unmoved(bigint, bigint, text, uuid, bigint, text, integer[], jsonb[], jsonb[], jsonb);

-- Lock the sheet and write edits that were decided before, all or nothing: per row a patch, and in `bases` the version by
-- which each of its cells was seen last (null: whatever it is now). Null, and nothing written: a cell, its row, the
-- columns, the sheet or the person's level has moved on, or they no longer see every row, or a cell has its value
-- already, or the operation was carried out before; decide again. Where it writes, the sheet was locked for one round
-- trip only.
CREATE FUNCTION edit_unmoved(the_sheet bigint, the_actor bigint, the_source text, the_batch uuid, the_columns bigint,
                             the_level text, edited integer[], bases jsonb[], patches jsonb[], result jsonb)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    locked record := lock_sheet(the_sheet, the_actor, the_source, the_batch);
BEGIN
    IF locked.foreign_operation IS NOT NULL
       OR NOT EXISTS (SELECT FROM sheets s JOIN sheet_levels l USING (sheet_id)
                      WHERE s.sheet_id = the_sheet AND s.columns_version = the_columns AND s.archived_at IS NULL
                        AND l.user_id = the_actor AND l.level = the_level AND l.row_scope = 'all')
       OR EXISTS (SELECT FROM unnest(edited, bases, patches) AS e (row_id, base, patch)
                  CROSS JOIN jsonb_each(e.patch) AS cell (key, value)
                  LEFT JOIN rows r ON r.sheet_id = the_sheet AND r.row_id = e.row_id AND r.deleted_version IS NULL
                  WHERE r.row_id IS NULL
                     OR coalesce((r.versions ->> cell.key)::bigint, r.created_version) > (e.base ->> cell.key)::bigint
                     OR coalesce(r.values -> cell.key, 'null') = cell.value)
    THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT w.version FROM apply_batch(the_sheet, edited, patches, '{}', '{}', '{}', result, NULL) w);
END $$;

-- The lines of the log between two versions in its own order: for whatever versions, planned once a connection.
CREATE FUNCTION logged_lines(the_sheet bigint, since bigint, until bigint, columns integer[], most bigint)
RETURNS TABLE (row_id integer, column_id integer, version bigint, kind text, new text, actor_id bigint)
LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT c.row_id, c.column_id, c.version, c.kind::text, c.new::text, c.actor_id
        FROM changes c
        WHERE c.sheet_id = the_sheet AND c.version > since AND c.version <= until AND c.column_id = ANY (columns)
        ORDER BY c.version, c.row_id, c.column_id
        LIMIT most;
END $$;
