-- How many bytes the largest row of a range may have before it is rendered; in the order of the range, so that its index
-- is the one that is read.
SELECT max(bytes) FROM (
    SELECT unpacked_bytes(content, source_ref, tags, metadata) AS bytes
    FROM memories
    WHERE {filters}
        AND (created_at, id) > ($1::bigint, $2::uuid) AND (created_at, id) <= ($3::bigint, $4::uuid)
    ORDER BY created_at, id
) AS measured
