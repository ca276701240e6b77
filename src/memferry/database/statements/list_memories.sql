-- The newest memories first, those behind the place ($3, $4); the id breaks ties, so pages neither overlap nor leave gaps.
-- Rendered outside: a row that OFFSET skips costs its place in the index, and nothing else.
SELECT memory.created_at, memory.id, row_to_json(memory)::text AS row
FROM (
    SELECT * FROM memories
    WHERE {filters} AND (created_at, id) < ($3::bigint, $4::uuid)
    ORDER BY created_at DESC, id DESC
    LIMIT $1 OFFSET $2
) AS memory
ORDER BY memory.created_at DESC, memory.id DESC
