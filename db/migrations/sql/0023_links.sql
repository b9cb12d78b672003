-- The links of relations follow the cells that name them, in the same transaction, so that no path (psql included) can
-- make the two differ. A relation's cell is a list of the ids of rows, as texts.

-- The links that a cell names.
CREATE FUNCTION linked_rows(cell jsonb) RETURNS TABLE (target_row integer, place integer)
LANGUAGE sql IMMUTABLE AS $$
    SELECT item.id::integer, min(item.place)::integer
    FROM jsonb_array_elements_text(CASE jsonb_typeof(cell) WHEN 'array' THEN cell ELSE '[]' END)
         WITH ORDINALITY AS item (id, place)
    WHERE item.id ~ '^[1-9][0-9]{0,8}$' GROUP BY item.id
$$;

CREATE FUNCTION link_added_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    the_sheet bigint := (SELECT a.sheet_id FROM added a LIMIT 1);
    relations integer[] := ARRAY(
        SELECT c.column_id FROM columns c WHERE c.sheet_id = the_sheet AND c.type = 'relation');
BEGIN
    IF cardinality(relations) > 0 THEN
        INSERT INTO links (sheet_id, column_id, row_id, target_row, place)
        SELECT the_sheet, relation, a.row_id, l.target_row, l.place
        FROM added a CROSS JOIN unnest(relations) relation
        CROSS JOIN LATERAL linked_rows(a.values -> relation::text) l;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION link_edited_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    relation integer;
BEGIN
    FOR relation IN
        SELECT c.column_id FROM columns c
        WHERE c.sheet_id = NEW.sheet_id AND c.type = 'relation'
          AND NEW.values -> c.column_id::text IS DISTINCT FROM OLD.values -> c.column_id::text
    LOOP
        DELETE FROM links l
        WHERE l.sheet_id = NEW.sheet_id AND l.column_id = relation AND l.row_id = NEW.row_id;
        INSERT INTO links (sheet_id, column_id, row_id, target_row, place)
        SELECT NEW.sheet_id, relation, NEW.row_id, l.target_row, l.place
        FROM linked_rows(NEW.values -> relation::text) l;
    END LOOP;
    RETURN NULL;
END $$;

-- A column that becomes a relation, or is one no longer, has its links made again from its cells.
CREATE FUNCTION link_changed_column() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM links l WHERE l.sheet_id = NEW.sheet_id AND l.column_id = NEW.column_id;
    IF NEW.type = 'relation' THEN
        INSERT INTO links (sheet_id, column_id, row_id, target_row, place)
        SELECT r.sheet_id, NEW.column_id, r.row_id, l.target_row, l.place
        FROM rows r CROSS JOIN LATERAL linked_rows(r.values -> NEW.column_id::text) l
        WHERE r.sheet_id = NEW.sheet_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER link_added_rows AFTER INSERT ON rows REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION link_added_rows();
-- Only of rows with a list in a cell, before or after: an edit in any other row never calls the function.
CREATE TRIGGER link_edited_row AFTER UPDATE ON rows FOR EACH ROW
    WHEN (NEW.values IS DISTINCT FROM OLD.values
          AND (jsonb_path_exists(NEW.values, 'strict $.* ? (@.type() == "array")')
               OR jsonb_path_exists(OLD.values, 'strict $.* ? (@.type() == "array")')))
    EXECUTE FUNCTION link_edited_row();
CREATE TRIGGER link_changed_column AFTER UPDATE OF type ON columns FOR EACH ROW
    WHEN (NEW.type <> OLD.type AND 'relation' IN (NEW.type, OLD.type))
    EXECUTE FUNCTION link_changed_column();

GRANT SELECT ON links TO contrivance_app;
