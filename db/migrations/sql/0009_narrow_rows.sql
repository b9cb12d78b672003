-- The narrow rows: the live rows of every sheet with the cells by which they are filtered, sorted and grouped, typed. They
-- follow `rows` by triggers, in the same transaction, so that no path (psql included) can make the two differ.

-- The columns of a sheet by slot, as the keys of their values: null where nothing stands in a slot.
CREATE FUNCTION narrow_keys(the_sheet bigint) RETURNS text[] LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT array_agg(c.column_id::text ORDER BY s.place)
    FROM unnest('{t1,t2,t3,t4,t5,t6,t7,t8,t9,t10,t11,t12,n1,n2,n3,n4,n5,n6,n7,n8}'::text[])
         WITH ORDINALITY AS s (slot, place)
    LEFT JOIN columns c ON c.sheet_id = the_sheet AND c.slot = s.slot
$$;

-- No search_path of its own: with one, it would be called for every row instead of becoming a part of the statement.
CREATE FUNCTION narrow_cells(cells jsonb, keys text[])
RETURNS TABLE (t1 text, t2 text, t3 text, t4 text, t5 text, t6 text, t7 text, t8 text, t9 text, t10 text,
                     t11 text, t12 text, n1 numeric, n2 numeric, n3 numeric, n4 numeric, n5 numeric, n6 numeric, n7 numeric, n8 numeric)
LANGUAGE sql IMMUTABLE AS $$
    SELECT cells ->> keys[1], cells ->> keys[2], cells ->> keys[3], cells ->> keys[4], cells ->> keys[5],
           cells ->> keys[6], cells ->> keys[7], cells ->> keys[8], cells ->> keys[9], cells ->> keys[10],
           cells ->> keys[11], cells ->> keys[12], (cells ->> keys[13])::numeric, (cells ->> keys[14])::numeric, (cells ->> keys[15])::numeric,
           (cells ->> keys[16])::numeric, (cells ->> keys[17])::numeric, (cells ->> keys[18])::numeric, (cells ->> keys[19])::numeric, (cells ->> keys[20])::numeric
$$;

CREATE FUNCTION narrow_added_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    keys text[] := narrow_keys((SELECT a.sheet_id FROM added a LIMIT 1));
BEGIN
    INSERT INTO narrow_rows SELECT a.sheet_id, a.row_id, c.* FROM added a CROSS JOIN LATERAL narrow_cells(a.values, keys) c;
    RETURN NULL;
END $$;

CREATE FUNCTION narrow_edited_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    keys text[] := narrow_keys((SELECT a.sheet_id FROM after a LIMIT 1));
BEGIN
    IF EXISTS (SELECT FROM after a WHERE a.deleted_version IS NOT NULL) THEN
        DELETE FROM narrow_rows n USING after a
        WHERE a.deleted_version IS NOT NULL AND n.sheet_id = a.sheet_id AND n.row_id = a.row_id;
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

CREATE TRIGGER narrow_added_rows AFTER INSERT ON rows REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION narrow_added_rows();
CREATE TRIGGER narrow_edited_rows AFTER UPDATE ON rows REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION narrow_edited_rows();

-- Rows are only ever added under the lock of a sheet that is there (next_version() counts it up); that it stays there
-- was promised by a foreign key, which was looked up again for every row of an import: a sixth of its time.
CREATE FUNCTION keep_sheet() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF EXISTS (SELECT FROM rows r WHERE r.sheet_id = OLD.sheet_id) THEN
        RAISE EXCEPTION 'A sheet that has rows is archived, never removed' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER keep_sheet BEFORE DELETE ON sheets FOR EACH ROW EXECUTE FUNCTION keep_sheet();

GRANT SELECT ON narrow_rows TO contrivance_app;
