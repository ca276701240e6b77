-- The rows of an export like export_by_key, in frames by columns: the sorted keys are cut into steps of $1 rows, and the
-- rows of a step are looked up by their keys. A row is small as in export_columns, if its cells have no more than $2 bytes.
WITH key AS (
    SELECT id, (row_number() OVER (ORDER BY created_at, id) - 1) / $1::bigint AS step, created_at
    FROM memories WHERE {filters}
), step AS (
    SELECT step AS number, array_agg(id ORDER BY created_at, id) AS ids FROM key GROUP BY step ORDER BY step OFFSET 0
)
SELECT step.number::integer, frame.rows, frame.records
FROM step CROSS JOIN LATERAL (
    SELECT count(*) AS rows, count(*) FILTER (WHERE small) AS small_rows, {frame} AS records
    FROM (
        SELECT *, {row_bytes} <= $2::integer AS small
        FROM (
            SELECT {cells}
            FROM unnest(step.ids) AS key_id
            CROSS JOIN LATERAL (SELECT * FROM memories WHERE memories.id = key_id OFFSET 0) AS memory
            OFFSET 0
        ) AS cells OFFSET 0
    ) AS measured
) AS whole CROSS JOIN LATERAL (
    SELECT whole.rows, whole.records WHERE whole.small_rows = whole.rows
    UNION ALL
    SELECT 1, {columns}
    FROM unnest(step.ids) AS key_id
    CROSS JOIN LATERAL (SELECT * FROM memories WHERE memories.id = key_id OFFSET 0) AS memory
    WHERE whole.small_rows < whole.rows
) AS frame
