-- Threads after the place ($3, $4, $5), the one with the latest memory first. A memory without a parent_ref is a thread
-- of one, by its id: these are read in the order of their times, no more than the page needs. Of threads all memories
-- are read: no list of threads has to be kept right with each save. The title is that of the oldest memory.
SELECT page.parent_ref, page.namespace, page.count, page.first_at, page.last_at,
    coalesce(
        CASE WHEN json_typeof(oldest.metadata -> 'title') = 'string' THEN oldest.metadata ->> 'title' END,
        substring(left(oldest.content, 500) FROM '[^\r\n]+'), '') AS title,
    page.has_chunks
FROM (
    (
        SELECT id::text AS parent_ref, namespace, 1 AS count, created_at AS first_at, created_at AS last_at,
            id AS oldest_id, coalesce(json_typeof(metadata -> 'chunk_index') = 'number', false) AS has_chunks
        FROM memories
        WHERE {filters} AND created_at <= least(-($3::bigint + 1), 9223372036854775806) + 1
            AND json_typeof(metadata -> 'parent_ref') IS DISTINCT FROM 'string'
            AND (-created_at, id::text, namespace) > ($3::bigint, $4, $5)
        ORDER BY created_at DESC, id::text, namespace LIMIT $1::bigint + $2::bigint
    ) UNION ALL (
        SELECT metadata ->> 'parent_ref' AS parent_ref, namespace, count(*) AS count, min(created_at) AS first_at,
            max(created_at) AS last_at,
            right(min(lpad(created_at::text, 20, '0') || id::text COLLATE "C"), 36)::uuid AS oldest_id,
            bool_or(coalesce(json_typeof(metadata -> 'chunk_index') = 'number', false)) AS has_chunks
        FROM memories
        WHERE {filters} AND json_typeof(metadata -> 'parent_ref') = 'string'
        GROUP BY metadata ->> 'parent_ref', namespace
        HAVING (-max(created_at), metadata ->> 'parent_ref', namespace) > ($3::bigint, $4, $5)
        ORDER BY last_at DESC, parent_ref, namespace LIMIT $1::bigint + $2::bigint
    )
    ORDER BY last_at DESC, parent_ref, namespace LIMIT $1::bigint OFFSET $2::bigint
) AS page
CROSS JOIN LATERAL (SELECT content, metadata FROM memories WHERE id = page.oldest_id) AS oldest
ORDER BY page.last_at DESC, page.parent_ref, page.namespace
