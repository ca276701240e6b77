-- How many bytes the largest row between two places may have before it is rendered, as far as rows there may be large.
-- They have an index of their own; in its order, so that it is the one that is read. Filters would draw the planner to
-- another: what they leave out is measured too.
SELECT max(bytes) FROM (
    SELECT unpacked_bytes(content, source_ref, tags, metadata) AS bytes
    FROM memories
    WHERE may_be_large(content, source_ref, tags, metadata)
        AND (created_at, id) > ($1::bigint, $2::uuid) AND (created_at, id) <= ($3::bigint, $4::uuid)
    ORDER BY created_at, id
) AS measured
