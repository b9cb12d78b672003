-- Folding: the form in which texts are compared, searched and sorted. `db/folding.py` says the same in Python.

-- The text without case and accents. {letters} is db/folding.txt as JSON: another table needs another migration, which
-- folds the rows again.
CREATE FUNCTION public.fold_text(written text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF octet_length(written) = char_length(written) THEN
        RETURN lower(written COLLATE "C");
    END IF;
    RETURN (SELECT string_agg(coalesce({letters}::jsonb ->> c.letter, c.letter), '' ORDER BY c.place)
            FROM string_to_table(lower(written COLLATE "C"), NULL) WITH ORDINALITY AS c (letter, place));
END $$;

-- The texts of a row that are not ASCII, folded, by column. Of all others lower(… COLLATE "C") is the folded text.
CREATE FUNCTION public.fold_cells(cells jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF octet_length(cells::text) = char_length(cells::text) THEN
        RETURN '{}';
    END IF;
    RETURN (SELECT coalesce(jsonb_object_agg(c.key, public.fold_text(c.value #>> '{}')), '{}')
            FROM jsonb_each(cells) AS c (key, value)
            WHERE jsonb_typeof(c.value) = 'string' AND octet_length(c.value #>> '{}') > char_length(c.value #>> '{}'));
END $$;

-- An import knows which of its rows are ASCII and folds the others itself; of all other new rows this does it.
CREATE FUNCTION fold_added_row() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    NEW.folded := public.fold_cells(NEW.values);
    RETURN NEW;
END $$;
CREATE TRIGGER fold_added_row BEFORE INSERT ON rows
    FOR EACH ROW WHEN (NEW.folded IS NULL) EXECUTE FUNCTION fold_added_row();

-- A changed row's cells get the version that is being made, and are folded.
CREATE OR REPLACE FUNCTION stamp_cells() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    version bigint := nullif(split_part(current_setting('contrivance.version', true), ':', 2), '')::bigint;
BEGIN
    IF NEW.sheet_id <> OLD.sheet_id OR NEW.row_id <> OLD.row_id OR NEW.created_version <> OLD.created_version THEN
        RAISE EXCEPTION 'A row keeps its sheet, its number and its first version';
    END IF;
    IF NEW.values IS NOT DISTINCT FROM OLD.values THEN
        NEW.versions := OLD.versions;
        NEW.folded := OLD.folded;
    ELSE
        NEW.versions := OLD.versions || coalesce((
            SELECT jsonb_object_agg(coalesce(o.key, n.key), version)
            FROM jsonb_each(OLD.values) o FULL JOIN jsonb_each(NEW.values) n ON o.key = n.key
            WHERE o.value IS DISTINCT FROM n.value), '{}');
        NEW.folded := public.fold_cells(NEW.values);
    END IF;
    RETURN NEW;
END $$;
