-- What the planner knows of tenants. One that ANALYZE has not seen counts as one row: a search then makes the keys of all
-- the rows of the tenant anew, in place of looking into their index.

-- Else autovacuum would look when a tenth of all rows has changed.
ALTER TABLE memferry.memories SET (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.02);

-- Until then minutes may pass. So whoever saves looks, after each 128 rows or so, whether the planner expects less than a
-- tenth of what the tenant has. Who analyzes or vacuums already is not waited for.
CREATE FUNCTION memferry.show_tenant_to_planner() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET client_min_messages = error AS $$
DECLARE
    stored_rows bigint := (SELECT sum(rows) FROM memferry.memory_usage WHERE tenant_id = NEW.tenant_id);
    plan json;
BEGIN
    IF stored_rows >= 1000 THEN
        EXECUTE format('EXPLAIN (FORMAT json) SELECT FROM memferry.memories WHERE tenant_id = %L', NEW.tenant_id)
            INTO plan;
        IF stored_rows > 10 * (plan->0->'Plan'->>'Plan Rows')::float8 THEN
            ANALYZE (SKIP_LOCKED) memferry.memories (tenant_id, namespace, created_at);
        END IF;
    END IF;
    RETURN NULL;
END
$$;

-- A trigger runs it without that right.
REVOKE EXECUTE ON FUNCTION memferry.show_tenant_to_planner() FROM PUBLIC;

CREATE TRIGGER show_first_rows AFTER INSERT ON memferry.memory_usage
    FOR EACH ROW WHEN (NEW.rows >= 128) EXECUTE FUNCTION memferry.show_tenant_to_planner();
CREATE TRIGGER show_more_rows AFTER UPDATE ON memferry.memory_usage
    FOR EACH ROW WHEN (NEW.rows / 128 > OLD.rows / 128) EXECUTE FUNCTION memferry.show_tenant_to_planner();
