-- What one tenant stores must take neither the memory nor the disk from the others.

-- How many bytes of text a memory has; the same for the same memory, however it is stored.
CREATE FUNCTION memferry_service.text_bytes(content text, source_ref text, tags text[], metadata json)
RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
RETURN octet_length(content)::bigint + coalesce(octet_length(source_ref), 0)
    + octet_length(array_to_string(tags, ',')) + coalesce(octet_length(metadata::text), 0);

-- ANALYZE would keep the words and the metadata of 30,000 rows side by side in memory: of rows as large as they may be,
-- 30 GB each.
ALTER INDEX memferry.memories_by_words ALTER COLUMN 1 SET STATISTICS 0;
ALTER INDEX memferry.memories_by_metadata ALTER COLUMN 1 SET STATISTICS 0;

-- How many memories a tenant has, and their bytes: the sum of some rows, so that saves side by side seldom wait for each
-- other. Each transaction adds to one of them, after it has locked its memories.
CREATE TABLE memferry.memory_usage (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    slot integer NOT NULL DEFAULT pg_backend_pid() % 16,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (tenant_id, slot)
) WITH (fillfactor = 20);
INSERT INTO memferry.memory_usage (tenant_id, slot, rows, bytes)
SELECT tenant_id, 0, count(*), sum(memferry_service.text_bytes(content, source_ref, tags, metadata))
FROM memferry.memories GROUP BY tenant_id;

CREATE VIEW memferry_service.memory_usage AS
SELECT tenant_id, slot, rows, bytes FROM memferry.memory_usage
WHERE tenant_id = current_setting('memferry.tenant')::uuid;
GRANT SELECT, INSERT (rows, bytes), UPDATE (rows, bytes) ON memferry_service.memory_usage TO memferry_service;

-- Above a rate refusals, minted links and downloads are counted, and not noted one by one.
ALTER TABLE memferry.audit ADD COLUMN times integer NOT NULL DEFAULT 1;
CREATE OR REPLACE VIEW memferry_service.audit AS
SELECT id, noted_at, event, outcome, token_id, address, subject, filters_sha256, row_count, byte_count, detail, times
FROM memferry.audit WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND memferry_service.namespaces() IS NULL;
GRANT INSERT (times) ON memferry_service.audit TO memferry_service;
