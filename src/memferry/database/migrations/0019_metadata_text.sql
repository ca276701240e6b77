-- Metadata is kept as the JSON text that was sent: JSONB loses the order of keys and the spelling of numbers, and writes
-- 1e400 out in 401 digits. Containment is asked of its JSONB form, which the index holds.

DROP VIEW memferry_service.memories;
DROP INDEX memferry.memories_by_metadata, memferry.memories_large;
DROP FUNCTION memferry_service.may_be_large(text, text, text[], jsonb);
DROP FUNCTION memferry_service.unpacked_bytes(text, text, text[], jsonb);

ALTER TABLE memferry.memories
    DROP CONSTRAINT memories_metadata_check,
    ALTER COLUMN metadata TYPE json USING metadata::text::json,
    ADD CONSTRAINT metadata_is_an_object CHECK (json_typeof(metadata) = 'object');
CREATE INDEX memories_by_metadata ON memferry.memories USING gin ((metadata::jsonb) jsonb_path_ops);

CREATE VIEW memferry_service.memories AS
SELECT id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at
FROM memferry.memories WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND ((SELECT CASE WHEN memferry_service.namespaces() IS NULL THEN true END) IS NOT NULL
        OR namespace = ANY ((SELECT memferry_service.namespaces())::text[]))
WITH CASCADED CHECK OPTION;
GRANT SELECT, INSERT, UPDATE, DELETE ON memferry_service.memories TO memferry_service;

-- As migration 0016 has it.
CREATE FUNCTION memferry_service.may_be_large(content text, source_ref text, tags text[], metadata json)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN octet_length(content) + coalesce(octet_length(source_ref), 0) + 2048 * cardinality(tags)
    + coalesce(octet_length(metadata::text), 0) > 16384;
CREATE INDEX memories_large ON memferry.memories (tenant_id, created_at, id)
    WHERE memferry_service.may_be_large(content, source_ref, tags, metadata);

-- As migration 0014 has it.
CREATE FUNCTION memferry_service.unpacked_bytes(content text, source_ref text, tags text[], metadata json)
RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
RETURN octet_length(content) + coalesce(octet_length(source_ref), 0)
    + pg_column_size(tags)::bigint * CASE WHEN pg_column_compression(tags) IS NULL THEN 1 ELSE 256 END
    + coalesce(pg_column_size(metadata), 0)::bigint
        * CASE WHEN pg_column_compression(metadata) IS NULL THEN 1 ELSE 256 END;
