-- As list_other_hits, among the next $8 rows alone: where most rows are hits, that is quicker than to sort all of them.
SELECT $7::integer AS query, page.score, page.created_at, page.id, page.bytes,
    CASE WHEN page.bytes <= $4 THEN show_hit(page.memory, page.score) END AS row
FROM (
    SELECT '1e-9'::real AS score, hit.created_at, hit.id, hit::memories AS memory,
        text_bytes(hit.content, hit.source_ref, hit.tags, hit.metadata) AS bytes
    FROM (
        SELECT next.id, next.content, next.namespace, next.tags, next.source, next.source_ref, next.metadata,
            next.created_at, next.updated_at, next.expires_at
        FROM (
            SELECT * FROM searched_memories
            WHERE (created_at, id) < ($5::bigint, $6::uuid) AND {filters}
            ORDER BY created_at DESC, id DESC
            LIMIT $8
        ) AS next
        WHERE next.keys @@ $3::text::tsquery
        ORDER BY next.created_at DESC, next.id DESC
        LIMIT $1 OFFSET $2
    ) AS hit
) AS page
ORDER BY page.created_at DESC, page.id DESC
