-- The memories that share any word with $3, best first. Longer texts do not win by their length (1).
SELECT row_to_json(hit)::text
FROM (
    SELECT memory.*,
        greatest(ts_rank(words(content), any_word($3), 1), '1e-9'::real) AS score
    FROM memories AS memory
    WHERE words(content) @@ any_word($3) AND {filters}
    ORDER BY score DESC, created_at DESC, id DESC
    LIMIT $1 OFFSET $2
) AS hit
ORDER BY score DESC, created_at DESC, id DESC
