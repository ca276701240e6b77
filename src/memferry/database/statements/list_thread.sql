-- The pieces of one conversation or document, those behind the place ($3, $4, $5); or the one memory with the id $6, if it
-- belongs to none. Containment uses the metadata index; ->> would not. A piece without a number comes last.
SELECT piece.position::text AS position, piece.created_at, piece.id, row_to_json(memory)::text AS row
FROM (
    SELECT coalesce(
            CASE WHEN json_typeof(metadata -> 'chunk_index') = 'number'
                THEN (metadata ->> 'chunk_index')::numeric END,
            'Infinity') AS position,
        created_at, id
    FROM memories
    WHERE source_ref = $1 OR metadata::jsonb @> jsonb_build_object('parent_ref', $1::text)
        OR (id = $6::uuid AND (metadata ->> 'parent_ref') IS NULL)
) AS piece
CROSS JOIN LATERAL (SELECT * FROM memories WHERE memories.id = piece.id) AS memory
WHERE (piece.position, piece.created_at, piece.id) > ($3::numeric, $4::bigint, $5::uuid)
ORDER BY piece.position, piece.created_at, piece.id
LIMIT $2
