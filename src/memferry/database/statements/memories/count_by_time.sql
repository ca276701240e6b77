-- Memories by namespace and span of time: span 0 begins at $1, each lasts $2 ms. The $3 largest namespaces have their
-- names, all others are one row without a name.
WITH cell AS MATERIALIZED (
    SELECT namespace, (created_at - $1::bigint) / $2::bigint AS span, count(*) AS rows
    FROM searched_memories
    GROUP BY namespace, span
), total AS (
    SELECT namespace, row_number() OVER (ORDER BY sum(rows) DESC, namespace) AS rank FROM cell GROUP BY namespace
)
SELECT CASE WHEN total.rank <= $3 THEN cell.namespace END AS namespace, least(total.rank, $3 + 1) AS rank, cell.span,
    sum(cell.rows)::bigint AS rows
FROM cell JOIN total ON total.namespace = cell.namespace
GROUP BY 1, 2, 3
ORDER BY 2, 3
