-- The meaning of each option that has or had a kind or a probability. A command on columns records it, an edit of cells
-- does not know of it. What an option meant first holds from the beginning.
CREATE FUNCTION record_stage_meanings() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    earlier jsonb := CASE WHEN TG_OP = 'UPDATE' THEN OLD.options ELSE '[]' END;
BEGIN
    INSERT INTO stage_meanings (sheet_id, column_id, option_id, since, kind, probability)
    SELECT NEW.sheet_id, NEW.column_id, after.id, meaning.since, meaning.kind, meaning.probability
    FROM jsonb_to_recordset(NEW.options) AS after (id text, kind text, probability integer)
    LEFT JOIN jsonb_to_recordset(earlier) AS before (id text, kind text, probability integer) ON before.id = after.id
    CROSS JOIN LATERAL (
        SELECT '-infinity'::timestamptz AS since, before.kind, before.probability WHERE before.id IS NOT NULL
        UNION ALL
        SELECT CASE WHEN before.id IS NULL THEN '-infinity' ELSE clock_timestamp() END, after.kind, after.probability
    ) meaning
    WHERE (after.kind, after.probability) IS DISTINCT FROM (before.kind, before.probability)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER stage_meanings_added AFTER INSERT ON columns FOR EACH ROW
    WHEN (NEW.options <> '[]') EXECUTE FUNCTION record_stage_meanings();
CREATE TRIGGER stage_meanings_changed AFTER UPDATE OF options ON columns FOR EACH ROW
    WHEN (NEW.options IS DISTINCT FROM OLD.options) EXECUTE FUNCTION record_stage_meanings();

-- What a stage meant before this was recorded is not known: it is assumed to have meant what it means now.
INSERT INTO stage_meanings (sheet_id, column_id, option_id, since, kind, probability, is_assumed)
SELECT k.sheet_id, k.column_id, o.id, '-infinity', o.kind, o.probability, true
FROM columns k, jsonb_to_recordset(k.options) AS o (id text, kind text, probability integer)
WHERE o.kind IS NOT NULL OR o.probability IS NOT NULL
ON CONFLICT DO NOTHING;

GRANT SELECT ON stage_meanings TO contrivance_app;
