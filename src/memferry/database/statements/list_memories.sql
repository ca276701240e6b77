-- The newest memories first, those behind the place ($3, $4); the id breaks ties, so pages neither overlap nor leave gaps.
-- Rendered outside: a row that OFFSET skips costs its place in the index, and nothing else.
SELECT page.created_at, page.id, row_to_json(page)::text AS row
FROM (
    SELECT memory.* FROM memories AS memory
    WHERE {filters} AND (created_at, id) < ($3::bigint, $4::uuid)
    ORDER BY created_at DESC, id DESC
    LIMIT $1 OFFSET $2
) AS page
ORDER BY page.created_at DESC, page.id DESC
