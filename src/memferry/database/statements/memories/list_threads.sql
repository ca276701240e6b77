-- Threads after the place ($3, $4, $5), the one with the latest memory first. A memory without a parent_ref is a thread
-- of one, by its id. All memories that match are read: no list of threads has to be kept right with each save. `first`
-- finds the oldest memory of a thread, whose title is read for the page alone.
SELECT page.parent_ref, page.namespace, page.count, page.first_at, page.last_at,
    coalesce(
        CASE WHEN json_typeof(oldest.metadata -> 'title') = 'string' THEN oldest.metadata ->> 'title' END,
        substring(left(oldest.content, 500) FROM '[^\r\n]+'), '') AS title,
    page.has_chunks
FROM (
    SELECT parent_ref, namespace, count(*) AS count, min(created_at) AS first_at, max(created_at) AS last_at,
        min(lpad(created_at::text, 20, '0') || id COLLATE "C") AS first, bool_or(numbered) AS has_chunks
    FROM (
        SELECT namespace, created_at, id::text AS id,
            coalesce(
                CASE WHEN json_typeof(metadata -> 'parent_ref') = 'string' THEN metadata ->> 'parent_ref' END,
                id::text) AS parent_ref,
            coalesce(json_typeof(metadata -> 'chunk_index') = 'number', false) AS numbered
        FROM memories WHERE {filters}
    ) AS piece
    GROUP BY parent_ref, namespace
    HAVING (-max(created_at), parent_ref, namespace) > ($3::bigint, $4, $5)
    ORDER BY last_at DESC, parent_ref, namespace
    LIMIT $1 OFFSET $2
) AS page
CROSS JOIN LATERAL (
    SELECT content, metadata FROM memories WHERE id = substr(page.first, 21)::uuid
) AS oldest
ORDER BY page.last_at DESC, page.parent_ref, page.namespace
