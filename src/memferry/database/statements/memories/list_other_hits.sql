-- Rows that the query $3 of keys finds and a search does not score, after the place ($5, $6), newest first, each as a hit
-- of query number $7 with a score below all others. Rows of more than $4 bytes are not rendered here; render_hits renders
-- them later. As subqueries the planner takes both conditions for rare, whatever the query (views.sql, twice()). No index
-- has created_at + 0: the planner takes a third of all rows to come after any place, and would read their index of times.
SELECT $7::integer AS query, page.score, page.created_at, page.id, page.bytes,
    CASE WHEN page.bytes <= $4 THEN show_hit(page.memory, page.score) END AS row
FROM (
    SELECT '1e-9'::real AS score, hit.created_at, hit.id, hit::memories AS memory,
        text_bytes(hit.content, hit.source_ref, hit.tags, hit.metadata) AS bytes
    FROM (
        SELECT id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at, expires_at
        FROM searched_memories
        WHERE keys @@ (SELECT $3::text::tsquery) AND keys @@ (SELECT twice($3::text::tsquery))
            AND (created_at + 0, id) < ($5::bigint, $6::uuid) AND {filters}
        ORDER BY created_at DESC, id DESC
        LIMIT $1 OFFSET $2
    ) AS hit
) AS page
ORDER BY page.created_at DESC, page.id DESC
