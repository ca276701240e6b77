-- As count_by_time, of many memories: counted in the sample of every 128th of them.
WITH cell AS MATERIALIZED (
    SELECT namespace, (created_at - $1::bigint) / $2::bigint AS span, 128 * count(*) AS rows
    FROM searched_memories
    WHERE keys @@ sample_query() AND keys @@ twice(sample_query())
    GROUP BY namespace, span
), total AS (
    SELECT namespace, row_number() OVER (ORDER BY sum(rows) DESC, namespace) AS rank FROM cell GROUP BY namespace
)
SELECT CASE WHEN total.rank <= $3 THEN cell.namespace END AS namespace, least(total.rank, $3 + 1) AS rank, cell.span,
    sum(cell.rows)::bigint AS rows
FROM cell JOIN total ON total.namespace = cell.namespace
GROUP BY 1, 2, 3
ORDER BY 2, 3
