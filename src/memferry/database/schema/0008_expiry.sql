-- Memories that expire: from the moment of their expiry no view shows them, and the sweeper deletes them.

-- The moment by which a transaction decides what has expired, in epoch ms: its beginning, unless it reads the snapshot of
-- another one and names that one's.
CREATE FUNCTION memferry.moment() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(
    nullif(current_setting('memferry.moment', true), '')::bigint, floor(extract(epoch FROM now()) * 1000)::bigint);

-- Exports ask how many rows of their tenant have expired, the sweeper which ones, tenant by tenant.
CREATE INDEX memories_expiring ON memferry.memories (tenant_id, expires_at) WHERE expires_at IS NOT NULL;

-- With the expiry in them, the indexes alone tell how many memories there are, and where a range of an export ends.
DROP INDEX memferry.memories_by_time, memferry.memories_by_namespace, memferry.memories_by_namespace_change;
CREATE INDEX memories_by_time ON memferry.memories (tenant_id, created_at, id) INCLUDE (namespace, expires_at);
CREATE INDEX memories_by_namespace ON memferry.memories (tenant_id, namespace, created_at, id) INCLUDE (expires_at);
CREATE INDEX memories_by_namespace_change ON memferry.memories (tenant_id, namespace, updated_at, id)
    INCLUDE (expires_at);

-- How long memories of a namespace are kept that name no expiry themselves; NULL: for ever.
ALTER TABLE memferry.projects ADD COLUMN retention_days integer CHECK (retention_days > 0);

-- How many rows an export has left out because they had expired.
ALTER TABLE memferry.jobs ADD COLUMN expired_rows bigint;
