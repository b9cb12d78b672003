-- Plans are kept for as long as a connection lives. One that was made while a table was small must do when it has grown,
-- and one for an edit of a cell is the same for every cell: making it anew took longer than carrying it out.

-- Everything that the edit calls, triggers included, is planned once a connection.
ALTER FUNCTION edit_unmoved(bigint, bigint, text, uuid, bigint, text, integer[], jsonb[], jsonb[], jsonb)
    SET plan_cache_mode = force_generic_plan;
-- The operation is looked up by its key, also where the plan was made while there were hardly any.
ALTER FUNCTION lock_sheet(bigint, bigint, text, uuid) SET enable_seqscan = off;

-- As before, but planned once: a function in SQL was planned for every statement that called it.
CREATE OR REPLACE FUNCTION narrow_keys(the_sheet bigint) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $$
BEGIN
    RETURN (SELECT array_agg(c.column_id::text ORDER BY s.place)
            FROM unnest('{t1,t2,t3,t4,t5,t6,t7,t8,t9,t10,t11,t12,n1,n2,n3,n4,n5,n6,n7,n8}'::text[])
                 WITH ORDINALITY AS s (slot, place)
            LEFT JOIN columns c ON c.sheet_id = the_sheet AND c.slot = s.slot);
END $$;
