-- The memories that share any word with $3, best first, those behind the place ($4, $5, $6). Longer texts do not win by
-- their length (1).
SELECT hit.score, hit.created_at, hit.id, row_to_json(hit)::text AS row
FROM (
    SELECT * FROM (
        SELECT memory.*,
            greatest(ts_rank(words(content), any_word($3), 1), '1e-9'::real) AS score
        FROM memories AS memory
        WHERE words(content) @@ any_word($3) AND {filters}
    ) AS ranked
    WHERE (score, created_at, id) < ($4::real, $5::bigint, $6::uuid)
    ORDER BY score DESC, created_at DESC, id DESC
    LIMIT $1 OFFSET $2
) AS hit
ORDER BY hit.score DESC, hit.created_at DESC, hit.id DESC
