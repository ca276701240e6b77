-- The order in which claims look for work: what runs, then what waits, tenant by tenant and the oldest first.
--
-- A worker of the version before goes on claiming: its statement reads the same rows and sorts them.

DROP INDEX memferry.exports_unfinished;
CREATE INDEX exports_unfinished ON memferry.exports (status, tenant_id, created_at, id)
    WHERE status IN ('pending', 'running');

-- What a tenant's limits count. A start is noted for an hour, whatever becomes of its export: deleting an export does
-- not make room for another.
CREATE TABLE memferry.export_starts (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid
        REFERENCES memferry.tenants (id) ON DELETE CASCADE,
    started_at bigint NOT NULL DEFAULT memferry_service.now_ms(),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    PRIMARY KEY (tenant_id, started_at, id)
);
-- Asked before each export: the index alone tells how much is stored, and when the first of it expires.
CREATE INDEX exports_stored ON memferry.exports (tenant_id) INCLUDE (file_bytes, bytes_done, expires_at)
    WHERE status = 'completed';

CREATE VIEW memferry_service.export_starts AS
SELECT started_at FROM memferry.export_starts
WHERE tenant_id = current_setting('memferry.tenant')::uuid;

-- Note a start of the tenant, unless a limit is reached: then nothing is noted, and the answer names the limit and says
-- in how many seconds asking again may help. A repeat, whose idempotency key is known, starts nothing.
--
-- A function, since starts of one tenant must be counted one at a time, and each statement of a function sees what
-- was committed while it waited for the lock. A start that a crash of the server forgets does no harm, so nothing
-- waits for the disk. It sets the tenant by itself, so that it can be a transaction of its own in one round trip.
CREATE FUNCTION memferry_service.start_export(
    tenant uuid, repeated_key text, per_hour bigint, unfinished bigint, stored_bytes bigint,
    OUT reached text, OUT again_in_seconds bigint
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    hour_ago bigint;
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
    DELETE FROM memferry_service.export_starts WHERE started_at <= hour_ago;
    -- The place that becomes free first is that of the oldest of the last `per_hour` starts.
    SELECT 'per_hour', (started_at - hour_ago) / 1000 + 1 INTO reached, again_in_seconds
    FROM memferry_service.export_starts
    ORDER BY started_at DESC OFFSET per_hour - 1 LIMIT 1;
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
        INSERT INTO memferry_service.export_starts (started_at) VALUES (DEFAULT);
    END IF;
END
$$;
GRANT SELECT, INSERT, DELETE ON memferry_service.export_starts TO memferry_service;
