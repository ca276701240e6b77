-- How many bytes the largest of a range's rows may have before it is rendered, as far as they may be large; of others
-- there is nothing to know. In the order of the range, so that their index is the one that is read.
SELECT max(bytes) FROM (
    SELECT unpacked_bytes(content, source_ref, tags, metadata) AS bytes
    FROM memories
    WHERE {filters} AND may_be_large(content, source_ref, tags, metadata)
        AND (created_at, id) > ($1::bigint, $2::uuid) AND (created_at, id) <= ($3::bigint, $4::uuid)
    ORDER BY created_at, id
) AS measured
