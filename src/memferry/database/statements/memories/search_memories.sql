-- Of the rows that the query $3 of keys finds ({match}), not older than ($8, $9), those after the place ($5, $6, $7), best first,
-- each as a hit of query number $13; and how many it finds. Rows of more than $4 bytes are not rendered here; render_hits
-- renders them later.
--
-- The score is that of BM25 with k1 = 1.2 and b = 0.4, where a text of 30 different words has the usual length. $10 and
-- $11 are the words, as stems or beginnings and as written: a word that is written as in the query counts half as much
-- again. For one word ts_rank() is the sum of 1/n² over its occurrences, divided by π²/6, so that each repetition counts
-- less. The rest of a long text is found and not scored: it would take seconds.
WITH word AS MATERIALIZED (
    SELECT stem::tsquery, word::tsquery, weight
    FROM unnest($10::text[], $11::text[], $12::float8[]) AS word (stem, word, weight)
), ranked AS MATERIALIZED (
    SELECT memory.id, memory.created_at, greatest(bm25.score, 1e-5)::real AS score
    FROM (
        SELECT id, content, created_at FROM searched_memories
        WHERE {match} AND {filters}
    ) AS memory
    CROSS JOIN LATERAL (SELECT plain_text(left(memory.content, 20000)) AS plain OFFSET 0) AS text
    CROSS JOIN LATERAL (
        SELECT stems(text.plain) AS stems, to_tsvector('pg_catalog.simple', text.plain) AS words OFFSET 0
    ) AS vector
    CROSS JOIN LATERAL (
        SELECT sum(weight * number / (number + 0.72 + 0.016 * length(vector.words))) AS score
        FROM (
            SELECT word.weight, 1.645 * (
                greatest(ts_rank('{1,1,1,1}', vector.stems, word.stem), ts_rank('{1,1,1,1}', vector.words, word.stem))
                + 0.5 * ts_rank('{1,1,1,1}', vector.words, word.word)
            ) AS number
            FROM word OFFSET 0
        ) AS occurrences
    ) AS bm25
), page AS (
    SELECT id, created_at, score FROM ranked
    WHERE (score, created_at, id) < ($5::real, $6::bigint, $7::uuid)
    ORDER BY score DESC, created_at DESC, id DESC
    LIMIT $1 OFFSET $2
)
SELECT $13::integer AS query, (SELECT count(*) FROM ranked) AS found,
    hit.score, hit.created_at, hit.id, hit.bytes,
    CASE WHEN hit.bytes <= $4 THEN show_hit(hit.memory, hit.score) END AS row
FROM (VALUES (1)) AS always
LEFT JOIN (
    SELECT page.score, page.created_at, page.id, found.memory, found.bytes
    FROM page
    CROSS JOIN LATERAL (
        SELECT memory, text_bytes(content, source_ref, tags, metadata) AS bytes
        FROM memories AS memory WHERE memory.id = page.id
    ) AS found
) AS hit ON true
ORDER BY hit.score DESC, hit.created_at DESC, hit.id DESC
