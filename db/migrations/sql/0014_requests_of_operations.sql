-- An operation keeps a digest of its request, so that the same operation id with other content can be refused.
-- An edit whose base is newer than the sheet is not written without a look. Triggers compare many rows in linear time.

DROP FUNCTION edit_unmoved(bigint, bigint, text, uuid, bigint, text, integer[], jsonb[], jsonb[], jsonb);
DROP FUNCTION apply_batch(bigint, integer[], jsonb[], jsonb[], integer[], integer[], jsonb, uuid);
DROP FUNCTION lock_sheet(bigint, bigint, text, uuid);

-- As before; and the digest of the request that a repeated operation was carried out for (null: none was kept).
CREATE FUNCTION lock_sheet(the_sheet bigint, the_actor bigint, the_source text, the_batch uuid,
                           OUT version bigint, OUT last_row_id integer, OUT answered jsonb, OUT foreign_operation boolean,
                           OUT request bytea)
LANGUAGE plpgsql SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
BEGIN
    PERFORM set_config('contrivance.actor', the_actor::text, true),
            set_config('contrivance.source', the_source, true),
            set_config('contrivance.batch', the_batch::text, true);
    SELECT s.version, s.last_row_id INTO version, last_row_id
    FROM sheets s WHERE s.sheet_id = the_sheet FOR NO KEY UPDATE;
    -- A statement of its own: its snapshot is taken after the wait, so it sees what the writer before us committed.
    SELECT CASE WHEN o.actor_id = the_actor THEN
                     o.result || CASE WHEN o.version IS NULL THEN '{}' ELSE jsonb_build_object('version', o.version) END
           END, o.actor_id <> the_actor, o.request
    INTO answered, foreign_operation, request
    FROM operations o WHERE o.sheet_id = the_sheet AND o.operation_id = the_batch;
END $$;

-- As before; and the operation keeps the digest of its request.
CREATE FUNCTION apply_batch(the_sheet bigint, edited integer[], patches jsonb[], added jsonb[], deleted integer[],
                            restored integer[], result jsonb, undone uuid, request bytea,
                            OUT version bigint, OUT last_row_id integer)
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
    INSERT INTO operations (sheet_id, operation_id, actor_id, result, version, undoes, request)
    VALUES (the_sheet, current_setting('contrivance.batch')::uuid, current_setting('contrivance.actor')::bigint,
            result, version, undone, request);
END $$;

-- As before; and null, too, where a base is newer than the sheet: nobody can have seen that.
CREATE FUNCTION edit_unmoved(the_sheet bigint, the_actor bigint, the_source text, the_batch uuid, the_columns bigint,
                             the_level text, edited integer[], bases jsonb[], patches jsonb[], result jsonb,
                             request bytea)
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
                     OR (e.base ->> cell.key)::bigint NOT BETWEEN
                            coalesce((r.versions ->> cell.key)::bigint, r.created_version) AND locked.version
                     OR coalesce(r.values -> cell.key, 'null') = cell.value)
    THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT w.version
            FROM apply_batch(the_sheet, edited, patches, '{}', '{}', '{}', result, NULL, request) w);
END $$;

-- What a trigger compares (the rows before and after) has no index. Its plans are kept for as long as the connection
-- lives and were made for one row, so 20,000 rows took 20,000 × 20,000 comparisons. Without nested loops they are hashed.
ALTER FUNCTION log_edited_rows() SET enable_nestloop = off;

-- As before, but rows that leave are found by their key: a join would read all of narrow_rows now.
CREATE OR REPLACE FUNCTION narrow_edited_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_nestloop = off AS $$
DECLARE
    the_sheet bigint := (SELECT a.sheet_id FROM after a LIMIT 1);
    keys text[] := narrow_keys(the_sheet);
BEGIN
    IF EXISTS (SELECT FROM after a WHERE a.deleted_version IS NOT NULL) THEN
        DELETE FROM narrow_rows n
        WHERE n.sheet_id = the_sheet
          AND n.row_id = ANY (ARRAY(SELECT a.row_id FROM after a WHERE a.deleted_version IS NOT NULL));
    END IF;
    INSERT INTO narrow_rows AS n
    SELECT a.sheet_id, a.row_id, c.*
    FROM after a
    JOIN before b ON b.sheet_id = a.sheet_id AND b.row_id = a.row_id
    CROSS JOIN LATERAL narrow_cells(a.values, keys) c
    WHERE a.deleted_version IS NULL AND (b.deleted_version IS NOT NULL OR EXISTS (
        SELECT FROM unnest(keys) k WHERE a.values -> k IS DISTINCT FROM b.values -> k))
    ON CONFLICT (sheet_id, row_id) DO UPDATE SET
        t1 = EXCLUDED.t1, t2 = EXCLUDED.t2, t3 = EXCLUDED.t3, t4 = EXCLUDED.t4, t5 = EXCLUDED.t5, t6 = EXCLUDED.t6, t7 = EXCLUDED.t7,
        t8 = EXCLUDED.t8, t9 = EXCLUDED.t9, t10 = EXCLUDED.t10, t11 = EXCLUDED.t11, t12 = EXCLUDED.t12, n1 = EXCLUDED.n1, n2 = EXCLUDED.n2,
        n3 = EXCLUDED.n3, n4 = EXCLUDED.n4, n5 = EXCLUDED.n5, n6 = EXCLUDED.n6, n7 = EXCLUDED.n7, n8 = EXCLUDED.n8;
    RETURN NULL;
END $$;
