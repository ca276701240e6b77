-- How many bytes the largest row of a range may have before it is rendered; in the order of the range, so that its index
-- is the one that is read. Nothing is fetched from TOAST: what is compressed counts as large, whatever it unpacks to.
SELECT max(bytes) FROM (
    SELECT octet_length(content) + coalesce(octet_length(source_ref), 0)
        + CASE WHEN pg_column_compression(tags) IS NULL THEN pg_column_size(tags) ELSE 1048576 END
        + CASE WHEN pg_column_compression(metadata) IS NULL THEN coalesce(pg_column_size(metadata), 0) ELSE 1048576 END
        AS bytes
    FROM memories
    WHERE {filters}
        AND (created_at, id) > ($1::bigint, $2::uuid) AND (created_at, id) <= ($3::bigint, $4::uuid)
    ORDER BY created_at, id
) AS measured
