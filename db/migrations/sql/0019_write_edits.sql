-- Edits that were decided before the sheet was locked are written a round at a time: one statement, one commit, each
-- edit a version and an operation of its own. The statement says of each edit what became of it, and why.

DROP FUNCTION edit_unmoved(bigint, bigint, text, uuid, bigint, text, integer[], jsonb[], jsonb[], jsonb, bytea);

-- Whether a person has this level in a sheet, for all of its rows. The one place where a statement judges a right that
-- was read before: edits (write_edits) and followers (core.history.changes_since) ask it.
CREATE FUNCTION has_level(the_sheet bigint, the_user bigint, the_level text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN EXISTS (SELECT FROM sheet_levels l WHERE l.sheet_id = the_sheet AND l.user_id = the_user
                                                AND l.level = the_level AND l.row_scope = 'all');
END $$;

-- What happened to cells after a version of each: the value before, who changed it last, and when. Nulls: nothing did.
CREATE FUNCTION moved_cells(the_sheet bigint, row_ids integer[], column_ids integer[], bases bigint[])
RETURNS TABLE (row_id integer, column_id integer, original jsonb, changed_by text, changed_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT c.row_id, c.column_id, lines.original, lines.changed_by, lines.changed_at
        FROM unnest(row_ids, column_ids, bases) AS c (row_id, column_id, base)
        -- Where the whole row is younger than the base, the line that added it.
        CROSS JOIN LATERAL (
            SELECT (array_agg(l.old ORDER BY l.version))[1] AS original,
                   (array_agg(u.name::text ORDER BY l.version DESC))[1] AS changed_by,
                   (array_agg(l.recorded_at ORDER BY l.version DESC))[1] AS changed_at
            FROM changes l LEFT JOIN users u ON u.user_id = l.actor_id
            WHERE l.sheet_id = the_sheet AND l.row_id = c.row_id AND l.version > c.base
              AND (l.column_id = c.column_id OR l.kind = 'add')) lines;
END $$;

-- The version of a cell of the round that is being written; null outside of a round (`contrivance.round`, see below).
CREATE OR REPLACE FUNCTION stamp_cells() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    version bigint := nullif(split_part(current_setting('contrivance.version', true), ':', 2), '')::bigint;
    cells jsonb := nullif(current_setting('contrivance.round', true), '')::jsonb -> 'cells';
BEGIN
    IF NEW.sheet_id <> OLD.sheet_id OR NEW.row_id <> OLD.row_id OR NEW.created_version <> OLD.created_version THEN
        RAISE EXCEPTION 'A row keeps its sheet, its number and its first version';
    END IF;
    IF NEW.values IS NOT DISTINCT FROM OLD.values THEN
        NEW.versions := OLD.versions;
        NEW.folded := OLD.folded;
    ELSE
        NEW.versions := OLD.versions || coalesce((
            SELECT jsonb_object_agg(key, coalesce((cells -> (NEW.row_id || ':' || key))::bigint, version))
            FROM (SELECT coalesce(o.key, n.key) AS key
                  FROM jsonb_each(OLD.values) o FULL JOIN jsonb_each(NEW.values) n ON o.key = n.key
                  WHERE o.value IS DISTINCT FROM n.value) changed), '{}');
        NEW.folded := public.fold_cells(NEW.values);
    END IF;
    RETURN NEW;
END $$;

-- One line for each changed cell, by the operation whose version the cell got.
CREATE OR REPLACE FUNCTION log_edited_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_nestloop = off AS $$
DECLARE
    c record;
    operations jsonb := nullif(current_setting('contrivance.round', true), '')::jsonb -> 'operations';
BEGIN
    IF NOT EXISTS (SELECT FROM before) THEN RETURN NULL; END IF;
    SELECT * INTO c FROM change_context();
    IF EXISTS (SELECT FROM after a WHERE a.sheet_id <> c.sheet) THEN
        RAISE EXCEPTION 'A row is changed in the sheet that next_version() opened';
    END IF;
    IF operations IS NULL THEN
        INSERT INTO changes (sheet_id, version, row_id, column_id, kind, old, new, actor_id, source, batch, recorded_at, effective_at)
        SELECT c.sheet, c.version, a.row_id, cell.key::integer, 'edit', b.values -> cell.key, a.values -> cell.key,
               c.actor, c.source, c.batch, clock_timestamp(), c.effective
        FROM after a
        JOIN before b ON b.sheet_id = a.sheet_id AND b.row_id = a.row_id
        CROSS JOIN LATERAL jsonb_each(a.versions) cell
        WHERE a.values IS DISTINCT FROM b.values AND cell.value = to_jsonb(c.version);
    ELSE
        INSERT INTO changes (sheet_id, version, row_id, column_id, kind, old, new, actor_id, source, batch, recorded_at, effective_at)
        SELECT c.sheet, o.version, a.row_id, cell.key::integer, 'edit', b.values -> cell.key, a.values -> cell.key,
               o.actor, o.source, o.operation, clock_timestamp(), c.effective
        FROM after a
        JOIN before b ON b.sheet_id = a.sheet_id AND b.row_id = a.row_id
        CROSS JOIN LATERAL jsonb_each(a.versions) cell
        JOIN jsonb_to_recordset(operations) AS o (version bigint, actor bigint, source text, operation uuid)
          ON to_jsonb(o.version) = cell.value
        WHERE a.values IS DISTINCT FROM b.values;
    END IF;
    INSERT INTO changes (sheet_id, version, row_id, column_id, kind, old, new, actor_id, source, batch, recorded_at, effective_at)
    SELECT c.sheet, c.version, a.row_id, 0, CASE WHEN a.deleted_version IS NULL THEN 'restore' ELSE 'remove' END,
           CASE WHEN a.deleted_version IS NULL THEN NULL ELSE a.values END,
           CASE WHEN a.deleted_version IS NULL THEN a.values END,
           c.actor, c.source, c.batch, clock_timestamp(), c.effective
    FROM after a
    JOIN before b ON b.sheet_id = a.sheet_id AND b.row_id = a.row_id
    WHERE (a.deleted_version IS NULL) <> (b.deleted_version IS NULL);
    PERFORM pg_notify('sheet_changes', c.sheet || ':' || c.version);
    RETURN NULL;
END $$;

-- Any other change of the same transaction is not a part of a round that was written before it.
CREATE OR REPLACE FUNCTION next_version(the_sheet bigint, new_rows integer, OUT version bigint, OUT last_row_id integer)
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE sheets s SET version = s.version + 1, last_row_id = s.last_row_id + new_rows
    WHERE s.sheet_id = the_sheet
    RETURNING s.version, s.last_row_id INTO version, last_row_id;
    PERFORM set_config('contrivance.version', the_sheet || ':' || version, true),
            set_config('contrivance.round', '', true);
END $$;

-- Lock the sheet and write the edits of a round. Per operation: who, by which way, its id, whether its person is still
-- signed in, the version of the columns and the level that it was decided by, what it answers, the digest of what it
-- was asked for; per cell the place (from 1) of its operation, its row and column, the version by which it was seen last
-- (null: it is not checked), its new value. All cells of an operation are written, or none of them.
-- `version` is that of a written edit, else that of the sheet.
-- verdict: written | replayed | signed_out | rights_moved | columns_moved | archived | gone | stale | unchanged | again.
-- `facts` of replayed: what the operation answered, for which request, whether it is another person's; of gone, stale
-- and unchanged: each cell of the operation as it is now, and what happened to it since its base. The sheet stays locked,
-- so they hold until the transaction ends. again: an earlier operation of the round has the same cell or the same id.
CREATE FUNCTION write_edits(the_sheet bigint, actors bigint[], sources text[], operation_ids uuid[], are_signed_in boolean[],
                            columns_versions bigint[], levels text[], results jsonb[], requests bytea[],
                            places integer[], row_ids integer[], column_ids integer[], bases bigint[], cells jsonb[])
RETURNS TABLE (verdict text, version bigint, facts jsonb)
LANGUAGE plpgsql SET search_path = pg_catalog, public
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    sheet record;
    verdicts text[];
    versions bigint[];
    last integer;
    first_places integer[];
    now_at bigint;
BEGIN
    SELECT s.version, s.columns_version, s.archived_at INTO sheet
    FROM sheets s WHERE s.sheet_id = the_sheet FOR NO KEY UPDATE;
    IF cardinality(actors) > 1 THEN
        first_places := ARRAY(
            SELECT min(c.place) OVER (PARTITION BY c.row_id, c.column_id)
            FROM unnest(places, row_ids, column_ids) WITH ORDINALITY AS c (place, row_id, column_id, number)
            ORDER BY c.number);
    END IF;
    -- A statement of its own: its snapshot is taken after the wait, so it sees what the writer before us committed.
    verdicts := ARRAY(
        SELECT CASE
            WHEN NOT o.is_signed_in THEN 'signed_out'
            -- Not EXISTS, which may become a hash of all operations of the sheet.
            WHEN (SELECT k.actor_id FROM operations k
                  WHERE k.sheet_id = the_sheet AND k.operation_id = o.operation_id) IS NOT NULL THEN 'replayed'
            WHEN NOT has_level(the_sheet, o.actor, o.level) THEN 'rights_moved'
            WHEN o.columns_version <> sheet.columns_version THEN 'columns_moved'
            WHEN sheet.archived_at IS NOT NULL THEN 'archived'
            WHEN array_position(operation_ids, o.operation_id) < o.place THEN 'again'
            ELSE seen.verdict END
        FROM unnest(actors, operation_ids, are_signed_in, columns_versions, levels)
             WITH ORDINALITY AS o (actor, operation_id, is_signed_in, columns_version, level, place)
        JOIN (
            SELECT c.place, CASE
                WHEN bool_or(r.row_id IS NULL) THEN 'gone'
                WHEN bool_or(c.first_place < c.place) THEN 'again'
                WHEN bool_or(c.base NOT BETWEEN coalesce((r.versions -> c.column_id::text)::bigint, r.created_version)
                                        AND sheet.version) THEN 'stale'
                WHEN bool_or(coalesce(r.values -> c.column_id::text, 'null') = c.cell) THEN 'unchanged'
                ELSE 'written' END AS verdict
            FROM unnest(places, row_ids, column_ids, bases, cells, first_places)
                 AS c (place, row_id, column_id, base, cell, first_place)
            LEFT JOIN rows r ON r.sheet_id = the_sheet AND r.row_id = c.row_id AND r.deleted_version IS NULL
            GROUP BY c.place) seen ON seen.place = o.place
        ORDER BY o.place);
    now_at := sheet.version;
    IF 'written' = ANY (verdicts) THEN
        FOR i IN 1 .. cardinality(verdicts) LOOP
            IF verdicts[i] = 'written' THEN
                now_at := now_at + 1;
                versions[i] := now_at;
                last := i;
            END IF;
        END LOOP;
        UPDATE sheets s SET version = now_at WHERE s.sheet_id = the_sheet;
        PERFORM set_config('contrivance.actor', actors[last]::text, true),
                set_config('contrivance.source', sources[last], true),
                set_config('contrivance.batch', operation_ids[last]::text, true),
                set_config('contrivance.version', the_sheet || ':' || now_at, true),
                set_config('contrivance.round', '', true);
        IF now_at > sheet.version + 1 THEN
            PERFORM set_config('contrivance.round', (
                SELECT jsonb_build_object(
                    'operations', (
                        SELECT jsonb_agg(jsonb_build_object('version', versions[v.place], 'actor', actors[v.place],
                                                            'source', sources[v.place], 'operation', operation_ids[v.place]))
                        FROM unnest(verdicts) WITH ORDINALITY AS v (verdict, place) WHERE v.verdict = 'written'),
                    'cells', (
                        SELECT jsonb_object_agg(c.row_id || ':' || c.column_id, versions[c.place])
                        FROM unnest(places, row_ids, column_ids) AS c (place, row_id, column_id)
                        WHERE verdicts[c.place] = 'written')))::text, true);
        END IF;
        UPDATE rows r SET values = jsonb_strip_nulls(r.values || p.patch)
        FROM (SELECT c.row_id, jsonb_object_agg(c.column_id, c.cell) AS patch
              FROM unnest(places, row_ids, column_ids, cells) AS c (place, row_id, column_id, cell)
              WHERE verdicts[c.place] = 'written' GROUP BY c.row_id) p
        WHERE r.sheet_id = the_sheet AND r.row_id = p.row_id;
        INSERT INTO operations (sheet_id, operation_id, actor_id, result, version, request)
        SELECT the_sheet, operation_ids[v.place], actors[v.place], results[v.place], versions[v.place], requests[v.place]
        FROM unnest(verdicts) WITH ORDINALITY AS v (verdict, place) WHERE v.verdict = 'written';
    END IF;
    FOR i IN 1 .. cardinality(verdicts) LOOP
        verdict := verdicts[i];
        version := coalesce(versions[i], now_at);
        facts := NULL;
        IF verdict = 'replayed' THEN
            facts := (
                SELECT jsonb_build_object(
                    'is_foreign', k.actor_id <> actors[i], 'request', encode(k.request, 'hex'),
                    'result', k.result || CASE WHEN k.version IS NULL THEN '{}' ELSE jsonb_build_object('version', k.version) END)
                FROM operations k WHERE k.sheet_id = the_sheet AND k.operation_id = operation_ids[i]);
        ELSIF verdict IN ('gone', 'stale', 'unchanged') THEN
            facts := (
                SELECT jsonb_agg(jsonb_build_object(
                    'row', c.row_id, 'column', c.column_id, 'is_there', r.row_id IS NOT NULL,
                    'value', r.values -> c.column_id::text,
                    'version', coalesce((r.versions -> c.column_id::text)::bigint, r.created_version),
                    'original', m.original, 'by', m.changed_by, 'at', m.changed_at))
                FROM (SELECT * FROM unnest(places, row_ids, column_ids, bases) AS c (place, row_id, column_id, base)
                      WHERE place = i) c
                LEFT JOIN rows r ON r.sheet_id = the_sheet AND r.row_id = c.row_id AND r.deleted_version IS NULL
                CROSS JOIN LATERAL moved_cells(the_sheet, ARRAY[c.row_id], ARRAY[c.column_id], ARRAY[c.base]) m);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
