-- The newest memories first; the id breaks ties, so pages neither overlap nor leave gaps.
SELECT row_to_json(memory)::text
FROM memories AS memory
WHERE {filters}
ORDER BY created_at DESC, id DESC
LIMIT $1 OFFSET $2
