-- The audit trail as a chain: each link is the SHA-256 of the link before it and of the event in one canonical form,
-- the JSON array [event_id, recorded_at in UTC, action, actor_id, sheet_id, address, facts] as PostgreSQL writes jsonb.
-- core/audit/chain.py computes the same without this function.

CREATE FUNCTION audit_hash(before bytea, e audit_events) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT sha256(before || convert_to(jsonb_build_array(
        e.event_id, to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        e.action, e.actor_id, e.sheet_id, e.address::text, e.facts)::text, 'UTF8'))
$$;

-- Nobody says when something happened but the database's clock.
CREATE FUNCTION stamp_event() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    NEW.recorded_at := clock_timestamp();
    RETURN NEW;
END $$;

CREATE FUNCTION chain_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    head audit_head;
BEGIN
    UPDATE audit_head SET position = position + 1, hash = audit_hash(hash, NEW) RETURNING * INTO head;
    INSERT INTO audit_chain (position, event_id, hash) VALUES (head.position, NEW.event_id, head.hash);
    RETURN NULL;
END $$;

CREATE TRIGGER stamp_event BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION stamp_event();
-- Deferred to the commit: an import that takes a minute holds nobody up with the event it began with, and the end of the
-- chain is the last lock that a transaction takes, so no two can wait for each other.
CREATE CONSTRAINT TRIGGER chain_event AFTER INSERT ON audit_events DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION chain_event();
CREATE TRIGGER keep_chain BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER keep_head BEFORE DELETE OR TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();

-- What was recorded before there was a chain, in its order.
DO $$
DECLARE
    e audit_events;
    link bytea := decode(repeat('00', 32), 'hex');
    place bigint := 0;
BEGIN
    FOR e IN SELECT * FROM audit_events ORDER BY event_id LOOP
        link := audit_hash(link, e);
        place := place + 1;
        INSERT INTO audit_chain (position, event_id, hash) VALUES (place, e.event_id, link);
    END LOOP;
    INSERT INTO audit_head (position, hash) VALUES (place, link);
END $$;

GRANT SELECT ON audit_chain, audit_head TO contrivance_app;
