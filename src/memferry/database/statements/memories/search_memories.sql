-- For each of the queries $3 the memories that share any word with it, best first, those behind the place ($5, $6, $7).
-- Longer texts do not win by their length (1). Rows of more than $4 bytes are not rendered; render_hits does that later.
-- Each query is taken apart once, not for each row that it is compared with.
WITH asked AS MATERIALIZED (
    SELECT query, any_word(text) AS words FROM unnest($3::text[]) WITH ORDINALITY AS given (text, query)
)
SELECT hit.query, hit.score, hit.created_at, hit.id, hit.bytes,
    CASE WHEN hit.bytes <= $4 THEN row_to_json(hit.row)::text END AS row
FROM (
    SELECT asked.query, found.score, found.created_at, found.id, found AS row,
        text_bytes(found.content, found.source_ref, found.tags, found.metadata) AS bytes
    FROM asked
    CROSS JOIN LATERAL (
        SELECT * FROM (
            SELECT memory.*,
                greatest(ts_rank(words(content), asked.words, 1), '1e-9'::real) AS score
            FROM memories AS memory
            WHERE words(content) @@ asked.words AND {filters}
        ) AS ranked
        WHERE (score, created_at, id) < ($5::real, $6::bigint, $7::uuid)
        ORDER BY score DESC, created_at DESC, id DESC
        LIMIT $1 OFFSET $2
    ) AS found
) AS hit
ORDER BY hit.query, hit.score DESC, hit.created_at DESC, hit.id DESC
