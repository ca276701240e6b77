-- The words of the text $1: the query of their keys, how they are looked for in a row, and in how many of the caller's
-- rows they are. Words that are not weighed find rows and weigh nothing: stop words, unless there is nothing else, and
-- all but the $3 longest, since long words are seldom common. With $2 words are beginnings, as one types them. Where a
-- token is limited to namespaces ($4), no number tells of others. A later page has the numbers (not $5).
WITH word AS MATERIALIZED (
    SELECT word, NOT $2::boolean AND is_stop_word(word) AS is_stop
    FROM unnest(tsvector_to_array(to_tsvector('pg_catalog.simple', plain_text($1)))) AS word
), ranked AS (
    SELECT word, row_number() OVER longest AS rank,
        row_number() OVER longest <= $3::integer AND (NOT is_stop OR bool_and(is_stop) OVER ()) AS is_weighed
    FROM word
    WINDOW longest AS (ORDER BY is_stop, length(word) DESC, word)
)
SELECT key_query(word, $2)::text AS keys, is_weighed,
    quote_word(word) AS word,
    CASE WHEN $2 THEN quote_word(word) || ':*' ELSE quote_word(stem(word)) END AS stem,
    CASE WHEN is_weighed AND $5::boolean THEN count_hits(key_query(word, $2)) ELSE 0 END AS rows,
    CASE WHEN $4::boolean THEN (SELECT count(*) FROM (SELECT FROM memories LIMIT 100000) AS visible)
        ELSE (SELECT coalesce(sum(usage.rows), 0)::bigint FROM memory_usage AS usage) END AS all_rows
FROM ranked
ORDER BY rank
