-- A batch may also restore rows from the trash, and say which operation it takes back. Under the sheet's lock, as before.

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
