-- For each of the queries $3 the memories that share any word with it, after the place ($5, $6, $7), best first.
-- Normalisation 1 keeps long texts from winning by their length. Rows of more than $4 bytes are not rendered here;
-- render_hits renders them later. MATERIALIZED parses each query once, not once per row.
WITH search AS MATERIALIZED (
    SELECT query, any_word(text) AS words FROM unnest($3::text[]) WITH ORDINALITY AS input (text, query)
)
SELECT hit.query, hit.score, hit.created_at, hit.id, hit.bytes,
    CASE WHEN hit.bytes <= $4 THEN row_to_json(hit.row)::text END AS row
FROM (
    SELECT search.query, best.score, best.created_at, best.id, best AS row,
        text_bytes(best.content, best.source_ref, best.tags, best.metadata) AS bytes
    FROM search
    CROSS JOIN LATERAL (
        SELECT * FROM (
            SELECT memory.*,
                greatest(ts_rank(words(content), search.words, 1), '1e-9'::real) AS score
            FROM memories AS memory
            WHERE words(content) @@ search.words AND {filters}
        ) AS ranked
        WHERE (score, created_at, id) < ($5::real, $6::bigint, $7::uuid)
        ORDER BY score DESC, created_at DESC, id DESC
        LIMIT $1 OFFSET $2
    ) AS best
) AS hit
ORDER BY hit.query, hit.score DESC, hit.created_at DESC, hit.id DESC
