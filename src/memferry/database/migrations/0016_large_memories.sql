-- Whether a memory may have more than 16 KiB once it is rendered, as far as its parts say without escaping. A tag has 512
-- characters at most.
CREATE FUNCTION memferry_service.may_be_large(content text, source_ref text, tags text[], metadata jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN octet_length(content) + coalesce(octet_length(source_ref), 0) + 2048 * cardinality(tags)
    + coalesce(octet_length(metadata::text), 0) > 16384;

-- Exports look here for what is too large to come with others in one value: to look at each row cost a tenth of what an
-- export does.
CREATE INDEX memories_large ON memferry.memories (tenant_id, created_at, id)
    WHERE memferry_service.may_be_large(content, source_ref, tags, metadata);
