-- The rows of one range like export_range, $5 of them in each value: its number, how many rows, and their records with
-- newlines between. Run inside COPY (...) TO STDOUT (FORMAT binary).
-- `part` steps through the range by the index. The number shows that the parts came in order, which no ORDER BY says: a
-- sort would hold the whole range.
WITH RECURSIVE part (number, created_at, id) AS (
    SELECT 0, $1::bigint, $2::uuid
    UNION ALL
    SELECT part.number + 1, last.created_at, last.id
    FROM part CROSS JOIN LATERAL (
        SELECT created_at, id FROM memories
        WHERE {filters}
            AND (created_at, id) > (part.created_at, part.id) AND (created_at, id) < ($3::bigint, $4::uuid)
        ORDER BY created_at, id OFFSET $5::bigint - 1 LIMIT 1
    ) AS last
)
SELECT part.number, joined.records, joined.lines
FROM part CROSS JOIN LATERAL (
    SELECT count(*) AS records, string_agg(line, e'\n') AS lines
    FROM (
        SELECT {columns} AS line
        FROM memories AS memory
        WHERE {filters}
            AND (created_at, id) > (part.created_at, part.id) AND (created_at, id) <= ($3::bigint, $4::uuid)
        ORDER BY created_at, id LIMIT $5::bigint
    ) AS record
    HAVING count(*) > 0
) AS joined
