-- As list_other_hits, among the rows that are not older than ($8, $9) alone: of many hits the newest are found without
-- looking at each. Both indexes are read, so only rows that are in both are looked up.
SELECT $7::integer AS query, page.score, page.created_at, page.id, page.bytes,
    CASE WHEN page.bytes <= $4 THEN show_hit(page.memory, page.score) END AS row
FROM (
    SELECT '1e-9'::real AS score, hit.created_at, hit.id, hit::memories AS memory,
        text_bytes(hit.content, hit.source_ref, hit.tags, hit.metadata) AS bytes
    FROM (
        SELECT id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at, expires_at
        FROM searched_memories
        WHERE keys @@ (SELECT $3::text::tsquery) AND keys @@ (SELECT twice($3::text::tsquery))
            AND (created_at + 0, id) < ($5::bigint, $6::uuid) AND (created_at, id) >= ($8::bigint, $9::uuid) AND {filters}
        ORDER BY created_at DESC, id DESC
        LIMIT $1 OFFSET $2
    ) AS hit
) AS page
ORDER BY page.created_at DESC, page.id DESC
