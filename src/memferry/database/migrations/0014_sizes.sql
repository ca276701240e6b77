-- The most bytes that a memory may have where it varies, before it is rendered. Nothing is fetched or unpacked: pglz and
-- lz4 make of a byte no more than 256.
CREATE FUNCTION memferry_service.unpacked_bytes(content text, source_ref text, tags text[], metadata jsonb)
RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
RETURN octet_length(content) + coalesce(octet_length(source_ref), 0)
    + pg_column_size(tags)::bigint * CASE WHEN pg_column_compression(tags) IS NULL THEN 1 ELSE 256 END
    + coalesce(pg_column_size(metadata), 0)::bigint
        * CASE WHEN pg_column_compression(metadata) IS NULL THEN 1 ELSE 256 END;
