-- What one tenant stores must not take the memory of the server.

-- How many bytes of text a memory has, for pages that are bounded in bytes: nothing is unpacked but metadata.
CREATE FUNCTION memferry_service.text_bytes(content text, source_ref text, tags text[], metadata json)
RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
RETURN octet_length(content) + coalesce(octet_length(source_ref), 0)
    + pg_column_size(tags)::bigint * CASE WHEN pg_column_compression(tags) IS NULL THEN 1 ELSE 256 END
    + coalesce(octet_length(metadata::text), 0);

-- ANALYZE would keep the words and the metadata of 30,000 rows side by side in memory: of rows as large as they may be,
-- 30 GB each.
ALTER INDEX memferry.memories_by_words ALTER COLUMN 1 SET STATISTICS 0;
ALTER INDEX memferry.memories_by_metadata ALTER COLUMN 1 SET STATISTICS 0;
