-- A column's type can change. The slot of the narrow rows that it had is emptied, for another column may take it, and its
-- cells stand in its new slot.
CREATE FUNCTION move_narrow_cells(the_sheet bigint, the_column integer, old_slot text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    new_slot text := (SELECT c.slot FROM columns c WHERE c.sheet_id = the_sheet AND c.column_id = the_column);
BEGIN
    IF old_slot ~ '^[tn][0-9]+$' AND NOT EXISTS (SELECT FROM columns c WHERE c.sheet_id = the_sheet AND c.slot = old_slot) THEN
        EXECUTE format('UPDATE narrow_rows SET %1$I = NULL WHERE sheet_id = $1 AND %1$I IS NOT NULL', old_slot) USING the_sheet;
    END IF;
    IF new_slot IS NOT NULL THEN
        EXECUTE format('UPDATE narrow_rows n SET %1$I = (r.values ->> $2)::%2$s FROM rows r
                        WHERE n.sheet_id = $1 AND r.sheet_id = $1 AND r.row_id = n.row_id
                          AND n.%1$I IS DISTINCT FROM (r.values ->> $2)::%2$s',
                       new_slot, CASE WHEN new_slot LIKE 'n%' THEN 'numeric' ELSE 'text' END)
        USING the_sheet, the_column::text;
    END IF;
END $$;
