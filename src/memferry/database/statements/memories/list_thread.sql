-- The memories of one thread after the place ($4, $5, $6); or the one memory with the id $7, if it belongs to no
-- thread. Containment (@>) uses the metadata index, ->> would not. A memory without a number comes last. Rows beyond
-- the first $3 bytes are not rendered here; render_memories renders them later.
SELECT page.position::text AS position, page.created_at, page.id, page.bytes,
    CASE WHEN sum(page.bytes) OVER (ORDER BY page.position, page.created_at, page.id) <= $3
        THEN show_memory(page.memory) END AS row
FROM (
    SELECT piece.position, piece.created_at, piece.id, found.memory, found.bytes
    FROM (
        SELECT coalesce(
                CASE WHEN json_typeof(metadata -> 'chunk_index') = 'number'
                    THEN (metadata ->> 'chunk_index')::numeric END,
                'Infinity') AS position,
            created_at, id
        FROM memories
        WHERE source_ref = $1 OR metadata::jsonb @> jsonb_build_object('parent_ref', $1::text)
            OR (id = $7::uuid AND json_typeof(metadata -> 'parent_ref') IS DISTINCT FROM 'string')
    ) AS piece
    CROSS JOIN LATERAL (
        SELECT memory, text_bytes(content, source_ref, tags, metadata) AS bytes
        FROM memories AS memory WHERE memory.id = piece.id
    ) AS found
    WHERE (piece.position, piece.created_at, piece.id) > ($4::numeric, $5::bigint, $6::uuid)
    ORDER BY piece.position, piece.created_at, piece.id
    LIMIT $2
) AS page
ORDER BY page.position, page.created_at, page.id
