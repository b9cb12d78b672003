-- The change log: written by triggers, so no path (psql included) changes a cell without a line in it.
--
-- A writing transaction first calls lock_sheet(), which puts the sheet's writers in a queue and answers a repeated
-- operation, then next_version(), which counts the sheet's version up and opens the log for that version.

CREATE FUNCTION lock_sheet(the_sheet bigint, the_actor bigint, the_source text, the_batch uuid,
                           OUT version bigint, OUT last_row_id integer, OUT answered jsonb, OUT foreign_operation boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM set_config('contrivance.actor', the_actor::text, true),
            set_config('contrivance.source', the_source, true),
            set_config('contrivance.batch', the_batch::text, true);
    SELECT s.version, s.last_row_id INTO version, last_row_id
    FROM sheets s WHERE s.sheet_id = the_sheet FOR NO KEY UPDATE;
    -- A statement of its own: its snapshot is taken after the wait, so it sees what the writer before us committed.
    SELECT CASE WHEN o.actor_id = the_actor THEN o.result END, o.actor_id <> the_actor
    INTO answered, foreign_operation
    FROM operations o WHERE o.sheet_id = the_sheet AND o.operation_id = the_batch;
END $$;

CREATE FUNCTION next_version(the_sheet bigint, new_rows integer, OUT version bigint, OUT last_row_id integer)
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE sheets s SET version = s.version + 1, last_row_id = s.last_row_id + new_rows
    WHERE s.sheet_id = the_sheet
    RETURNING s.version, s.last_row_id INTO version, last_row_id;
    PERFORM set_config('contrivance.version', the_sheet || ':' || version, true);
END $$;

-- Write a batch that was checked under the lock as one version: changed cells (null empties one), new rows, deletions,
-- and what the operation answers. One call, so that an edit is one round trip once it is decided.
CREATE FUNCTION apply_batch(the_sheet bigint, edited integer[], patches jsonb[], added jsonb[], deleted integer[],
                            result jsonb, OUT version bigint, OUT last_row_id integer)
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
    INSERT INTO operations (sheet_id, operation_id, actor_id, result)
    VALUES (the_sheet, current_setting('contrivance.batch')::uuid, current_setting('contrivance.actor')::bigint, result);
END $$;

-- What the log writes on every line, from the transaction's settings; refuses where a setting is missing.
CREATE FUNCTION change_context(OUT sheet bigint, OUT version bigint, OUT actor bigint, OUT source text, OUT batch uuid,
                               OUT effective timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $$
DECLARE
    opened text := nullif(current_setting('contrivance.version', true), '');
    claimed text := nullif(current_setting('contrivance.effective_at', true), '');
    invoker name := CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role') END;
BEGIN
    actor := nullif(current_setting('contrivance.actor', true), '')::bigint;
    batch := nullif(current_setting('contrivance.batch', true), '')::uuid;
    source := coalesce(nullif(current_setting('contrivance.source', true), ''), 'sql');
    IF opened IS NULL OR actor IS NULL OR batch IS NULL THEN
        RAISE EXCEPTION 'Rows change only inside a change: call lock_sheet() and next_version() first'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    sheet := split_part(opened, ':', 1)::bigint;
    version := split_part(opened, ':', 2)::bigint;
    effective := clock_timestamp();
    IF claimed IS NOT NULL THEN
        -- Only the owner (seeding, imports of history) may say that something happened at another time.
        IF NOT pg_has_role(invoker, (SELECT relowner FROM pg_class WHERE oid = 'changes'::regclass), 'MEMBER') THEN
            RAISE EXCEPTION 'Only the owner of the database may set effective_at'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        effective := claimed::timestamptz;
    END IF;
END $$;

-- Before a row is updated: each changed cell takes the version of this change, so stale edits can be told from fresh.
CREATE FUNCTION stamp_cells() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    version bigint := nullif(split_part(current_setting('contrivance.version', true), ':', 2), '')::bigint;
BEGIN
    IF NEW.sheet_id <> OLD.sheet_id OR NEW.row_id <> OLD.row_id OR NEW.created_version <> OLD.created_version THEN
        RAISE EXCEPTION 'A row keeps its sheet, its number and its first version';
    END IF;
    IF NEW.values IS NOT DISTINCT FROM OLD.values THEN
        NEW.versions := OLD.versions;
    ELSE
        NEW.versions := OLD.versions || coalesce((
            SELECT jsonb_object_agg(coalesce(o.key, n.key), version)
            FROM jsonb_each(OLD.values) o FULL JOIN jsonb_each(NEW.values) n ON o.key = n.key
            WHERE o.value IS DISTINCT FROM n.value), '{}');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION log_added_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    c record;
BEGIN
    IF NOT EXISTS (SELECT FROM added) THEN RETURN NULL; END IF;
    SELECT * INTO c FROM change_context();
    IF EXISTS (SELECT FROM added a WHERE a.sheet_id <> c.sheet OR a.created_version <> c.version
                                      OR a.deleted_version IS NOT NULL OR a.versions <> '{}') THEN
        RAISE EXCEPTION 'A row is added to the sheet, and at the version, that next_version() opened';
    END IF;
    INSERT INTO changes (sheet_id, version, row_id, column_id, kind, new, actor_id, source, batch, recorded_at, effective_at)
    SELECT c.sheet, c.version, a.row_id, 0, 'add', a.values, c.actor, c.source, c.batch, clock_timestamp(), c.effective
    FROM added a;
    PERFORM pg_notify('sheet_changes', c.sheet || ':' || c.version);
    RETURN NULL;
END $$;

CREATE FUNCTION log_edited_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    c record;
BEGIN
    IF NOT EXISTS (SELECT FROM before) THEN RETURN NULL; END IF;
    SELECT * INTO c FROM change_context();
    IF EXISTS (SELECT FROM after a WHERE a.sheet_id <> c.sheet) THEN
        RAISE EXCEPTION 'A row is changed in the sheet that next_version() opened';
    END IF;
    INSERT INTO changes (sheet_id, version, row_id, column_id, kind, old, new, actor_id, source, batch, recorded_at, effective_at)
    SELECT c.sheet, c.version, a.row_id, cell.key::integer, 'edit', b.values -> cell.key, a.values -> cell.key,
           c.actor, c.source, c.batch, clock_timestamp(), c.effective
    FROM after a
    JOIN before b ON b.sheet_id = a.sheet_id AND b.row_id = a.row_id
    CROSS JOIN LATERAL jsonb_each(a.versions) cell
    WHERE a.values IS DISTINCT FROM b.values AND cell.value = to_jsonb(c.version);
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

CREATE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER stamp_cells BEFORE UPDATE ON rows FOR EACH ROW EXECUTE FUNCTION stamp_cells();
CREATE TRIGGER log_added_rows AFTER INSERT ON rows REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION log_added_rows();
CREATE TRIGGER log_edited_rows AFTER UPDATE ON rows REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION log_edited_rows();
-- Rows go to the trash (deleted_version); they are never removed, so history stays complete.
CREATE TRIGGER keep_rows BEFORE DELETE OR TRUNCATE ON rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER keep_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON changes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER keep_audit BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();

-- The application's role: it reads and writes rows, and reads the logs that triggers and commands append to.
GRANT USAGE ON SCHEMA public TO contrivance_app;
-- An import stages its rows in a temporary table. Where somebody else owns the database this only warns, and the
-- default, by which everybody may, has to stand.
DO $$ BEGIN
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO contrivance_app', current_database());
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO contrivance_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO contrivance_app;
REVOKE INSERT, UPDATE, DELETE ON changes FROM contrivance_app;
REVOKE UPDATE, DELETE ON audit_events FROM contrivance_app;
REVOKE DELETE ON rows, users FROM contrivance_app;
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM contrivance_app;

-- An import stages its rows in a temporary table before it takes the sheet's lock.
DO $$ BEGIN
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO contrivance_app', current_database());
END $$;
