-- A batch may also restore rows from the trash, and say which operation it takes back. Under the sheet's lock, as before.
-- Edits that were decided before the lock was taken are written in one call, if nothing has moved meanwhile.

DROP FUNCTION apply_batch(bigint, integer[], jsonb[], jsonb[], integer[], jsonb);

-- Write a batch that was checked under the lock as one version: changed cells (null empties one), new rows, deletions,
-- restored rows, and what the operation answers. One call, so that an edit is one round trip once it is decided.
CREATE FUNCTION apply_batch(the_sheet bigint, edited integer[], patches jsonb[], added jsonb[], deleted integer[],
                            restored integer[], result jsonb, undone uuid, OUT version bigint, OUT last_row_id integer)
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    SELECT n.version, n.last_row_id INTO version, last_row_id FROM next_version(the_sheet, cardinality(added)) n;
    IF cardinality(edited) > 0 THEN
        UPDATE rows r SET values = jsonb_strip_nulls(r.values || p.patch)
        FROM unnest(edited, patches) AS p (row_id, patch)
        WHERE r.sheet_id = the_sheet AND r.row_id = p.row_id;
    END IF;
    IF cardinality(added) > 0 THEN
        INSERT INTO rows (sheet_id, row_id, values, created_version)
        SELECT the_sheet, last_row_id - cardinality(added) + n.place, n.values, version
        FROM unnest(added) WITH ORDINALITY AS n (values, place);
    END IF;
    IF cardinality(deleted) > 0 THEN
        UPDATE rows r SET deleted_version = version WHERE r.sheet_id = the_sheet AND r.row_id = ANY (deleted);
    END IF;
    IF cardinality(restored) > 0 THEN
        UPDATE rows r SET deleted_version = NULL WHERE r.sheet_id = the_sheet AND r.row_id = ANY (restored);
    END IF;
    INSERT INTO operations (sheet_id, operation_id, actor_id, result, version, undoes)
    VALUES (the_sheet, current_setting('contrivance.batch')::uuid, current_setting('contrivance.actor')::bigint,
            result, version, undone);
END $$;

-- As before; and the answer of a repeated operation names the version that it wrote.
CREATE OR REPLACE FUNCTION lock_sheet(the_sheet bigint, the_actor bigint, the_source text, the_batch uuid,
                           OUT version bigint, OUT last_row_id integer, OUT answered jsonb, OUT foreign_operation boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM set_config('contrivance.actor', the_actor::text, true),
            set_config('contrivance.source', the_source, true),
            set_config('contrivance.batch', the_batch::text, true);
    SELECT s.version, s.last_row_id INTO version, last_row_id
    FROM sheets s WHERE s.sheet_id = the_sheet FOR NO KEY UPDATE;
    -- A statement of its own: its snapshot is taken after the wait, so it sees what the writer before us committed.
    SELECT CASE WHEN o.actor_id = the_actor THEN
                     o.result || CASE WHEN o.version IS NULL THEN '{}' ELSE jsonb_build_object('version', o.version) END
           END, o.actor_id <> the_actor
    INTO answered, foreign_operation
    FROM operations o WHERE o.sheet_id = the_sheet AND o.operation_id = the_batch;
END $$;

-- Who may do how much in which sheet; null: nothing. The one place that decides a person's level.
CREATE VIEW sheet_levels AS
SELECT s.sheet_id, u.user_id,
       CASE WHEN s.owner_id = u.user_id THEN 'owner'
            WHEN 'editor' IN (c.level, s.workspace_level) THEN 'editor'
            ELSE coalesce(c.level, s.workspace_level) END AS level
FROM users u
CROSS JOIN sheets s
LEFT JOIN collaborators c ON c.sheet_id = s.sheet_id AND c.user_id = u.user_id
WHERE u.is_active;
GRANT SELECT ON sheet_levels TO contrivance_app;

-- Lock the sheet and write edits that were decided on rows as they were `seen` (their cell versions), all or nothing.
-- Null, with the sheet locked and nothing written: a row, the columns, the sheet or the person's level has moved on, or
-- the operation was carried out before; decide again. Where it writes, the sheet was locked for one round trip only.
CREATE FUNCTION edit_unmoved(the_sheet bigint, the_actor bigint, the_source text, the_batch uuid, the_columns bigint,
                             the_level text, edited integer[], seen jsonb[], patches jsonb[], result jsonb)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    locked record := lock_sheet(the_sheet, the_actor, the_source, the_batch);
BEGIN
    IF locked.foreign_operation IS NOT NULL
       OR NOT EXISTS (SELECT FROM sheets s JOIN sheet_levels l USING (sheet_id)
                      WHERE s.sheet_id = the_sheet AND s.columns_version = the_columns AND s.archived_at IS NULL
                        AND l.user_id = the_actor AND l.level = the_level)
       OR (SELECT count(*) FROM unnest(edited, seen) AS e (row_id, versions)
           JOIN rows r ON r.sheet_id = the_sheet AND r.row_id = e.row_id
           WHERE r.deleted_version IS NULL AND r.versions = e.versions) < cardinality(edited)
    THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT w.version FROM apply_batch(the_sheet, edited, patches, '{}', '{}', '{}', result, NULL) w);
END $$;
