-- The starts of a tenant by number, so that the oldest of so many is looked up and not counted up to: a tenant that starts
-- an export each second has thousands within the hour.
ALTER TABLE memferry.export_starts ADD COLUMN number bigint;
UPDATE memferry.export_starts AS start SET number = numbered.number
FROM (
    SELECT tenant_id, id, row_number() OVER (PARTITION BY tenant_id ORDER BY started_at, id) AS number
    FROM memferry.export_starts
) AS numbered
WHERE numbered.tenant_id = start.tenant_id AND numbered.id = start.id;

CREATE OR REPLACE VIEW memferry_service.export_starts AS
SELECT started_at, number FROM memferry.export_starts
WHERE tenant_id = current_setting('memferry.tenant')::uuid;
ALTER TABLE memferry.export_starts DROP CONSTRAINT export_starts_pkey;
ALTER TABLE memferry.export_starts DROP COLUMN id, ADD PRIMARY KEY (tenant_id, number);

-- As migration 0008 has it. A start is noted only if the oldest of the last `per_hour` ones was more than an hour ago, so
-- all before that are as well, and none of them is needed again.
CREATE OR REPLACE FUNCTION memferry_service.start_export(
    tenant uuid, repeated_key text, per_hour bigint, unfinished bigint, stored_bytes bigint,
    OUT reached text, OUT again_in_seconds bigint
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    hour_ago bigint;
    last bigint;
BEGIN
    SET LOCAL synchronous_commit = off;
    EXECUTE format('SET LOCAL memferry.tenant = %L', tenant);
    PERFORM FROM memferry_service.idempotency_keys AS known
    WHERE known.key = repeated_key AND known.created_at >= memferry_service.now_ms() - 86400000;
    IF FOUND THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(
        hashtextextended('memferry starts ' || tenant, 0));
    hour_ago := memferry_service.now_ms() - 3600000;
    SELECT number INTO last FROM memferry_service.export_starts ORDER BY number DESC LIMIT 1;
    -- The place that becomes free first is that of the oldest of the last `per_hour` starts.
    SELECT 'per_hour', (started_at - hour_ago) / 1000 + 1 INTO reached, again_in_seconds
    FROM memferry_service.export_starts
    WHERE number = last - per_hour + 1 AND started_at > hour_ago;
    IF reached IS NULL THEN
        SELECT 'unfinished', 30 INTO reached, again_in_seconds
        FROM memferry_service.exports WHERE status IN ('pending', 'running')
        HAVING count(*) >= unfinished;
    END IF;
    IF reached IS NULL THEN
        SELECT 'stored_bytes', greatest((min(expires_at) - memferry_service.now_ms()) / 1000, 0) + 1
        INTO reached, again_in_seconds
        FROM memferry_service.exports WHERE status = 'completed'
        HAVING sum(coalesce(file_bytes, bytes_done)) >= stored_bytes;
    END IF;
    IF reached IS NULL THEN
        DELETE FROM memferry_service.export_starts WHERE number <= last - per_hour + 1;
        INSERT INTO memferry_service.export_starts (number) VALUES (coalesce(last, 0) + 1);
    END IF;
END
$$;
