-- How many bytes the largest row of a range may have before it is rendered; in the order of the range, so that its index
-- is the one that is read. Nothing is fetched or unpacked: pglz and lz4 make of a byte no more than 256.
SELECT max(bytes) FROM (
    SELECT octet_length(content) + coalesce(octet_length(source_ref), 0)
        + pg_column_size(tags) * CASE WHEN pg_column_compression(tags) IS NULL THEN 1 ELSE 256 END
        + coalesce(pg_column_size(metadata), 0) * CASE WHEN pg_column_compression(metadata) IS NULL THEN 1 ELSE 256 END
        AS bytes
    FROM memories
    WHERE {filters}
        AND (created_at, id) > ($1::bigint, $2::uuid) AND (created_at, id) <= ($3::bigint, $4::uuid)
    ORDER BY created_at, id
) AS measured
