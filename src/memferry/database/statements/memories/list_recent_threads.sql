-- Threads after the place ($3, $4, $5) like list_threads, found among the latest $6 memories up to that place; all other
-- memories of these threads are looked up by the metadata index. Fewer than $1 threads may be the last ones, or those of
-- which more memories would have to be read. A thread is found by its latest memory: one with a later memory stands on a
-- page before. Where the read memories end, others of the same time may be left unread: that time is passed over.
WITH recent AS MATERIALIZED (
    SELECT id, created_at, namespace,
        CASE WHEN json_typeof(metadata -> 'parent_ref') = 'string' THEN metadata ->> 'parent_ref' END AS parent_ref
    FROM memories
    WHERE {filters} AND created_at <= least(-($3::bigint + 1), 9223372036854775806) + 1
    ORDER BY created_at DESC, id DESC LIMIT $6::bigint
)
SELECT found.parent_ref, found.namespace, whole.count, whole.first_at, found.last_at,
    coalesce(
        CASE WHEN json_typeof(oldest.metadata -> 'title') = 'string' THEN oldest.metadata ->> 'title' END,
        substring(left(oldest.content, 500) FROM '[^\r\n]+'), '') AS title,
    whole.has_chunks
FROM (
    SELECT coalesce(parent_ref, id::text) AS parent_ref, namespace, max(created_at) AS last_at,
        CASE WHEN parent_ref IS NULL THEN id END AS id
    FROM recent
    GROUP BY coalesce(parent_ref, id::text), namespace, CASE WHEN parent_ref IS NULL THEN id END
    HAVING (-max(created_at), coalesce(parent_ref, id::text), namespace) > ($3::bigint, $4, $5)
        AND (max(created_at) > (SELECT min(created_at) FROM recent) OR (SELECT count(*) FROM recent) < $6::bigint)
    ORDER BY last_at DESC, parent_ref, namespace
) AS found
CROSS JOIN LATERAL (
    (
        SELECT 1::bigint AS count, created_at AS first_at, created_at AS last_at, id AS oldest_id,
            coalesce(json_typeof(metadata -> 'chunk_index') = 'number', false) AS has_chunks
        FROM memories WHERE id = found.id
    ) UNION ALL (
        SELECT count(*), min(created_at), max(created_at),
            right(min(lpad(created_at::text, 20, '0') || id::text COLLATE "C"), 36)::uuid,
            bool_or(coalesce(json_typeof(metadata -> 'chunk_index') = 'number', false))
        FROM memories
        WHERE found.id IS NULL AND namespace = found.namespace
            AND metadata::jsonb @> jsonb_build_object('parent_ref', found.parent_ref)
        HAVING found.id IS NULL
    )
) AS whole
CROSS JOIN LATERAL (SELECT content, metadata FROM memories WHERE id = whole.oldest_id) AS oldest
WHERE whole.last_at = found.last_at
ORDER BY found.last_at DESC, found.parent_ref, found.namespace LIMIT $1::bigint OFFSET $2::bigint
