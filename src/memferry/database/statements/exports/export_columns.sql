-- The rows of one range like export_frames, in frames by columns. A row is small if its cells have no more than $6 bytes;
-- where one of the rows is larger, each row of that step comes in a frame of its own.
-- A cell may have the name of a column: what the rows are ordered by are the columns.
-- OFFSET 0 keeps the cells apart from what is asked of them: each is made once.
WITH RECURSIVE step (number, created_at, id) AS (
    SELECT 0, $1::bigint, $2::uuid
    UNION ALL
    SELECT step.number + 1, last.created_at, last.id
    FROM step CROSS JOIN LATERAL (
        SELECT created_at, id FROM memories
        WHERE {filters}
            AND (created_at, id) > (step.created_at, step.id) AND (created_at, id) < ($3::bigint, $4::uuid)
        ORDER BY created_at, id OFFSET $5::bigint - 1 LIMIT 1
    ) AS last
)
SELECT step.number, frame.rows, frame.records
FROM step CROSS JOIN LATERAL (
    SELECT count(*) AS rows, count(*) FILTER (WHERE small) AS small_rows, {frame} AS records
    FROM (
        SELECT *, {row_bytes} <= $6::integer AS small
        FROM (
            SELECT {cells}
            FROM memories AS memory
            WHERE {filters}
                AND (created_at, id) > (step.created_at, step.id) AND (created_at, id) <= ($3::bigint, $4::uuid)
            ORDER BY memory.created_at, memory.id LIMIT $5::bigint
        ) AS cells OFFSET 0
    ) AS measured
) AS whole CROSS JOIN LATERAL (
    SELECT whole.rows, whole.records WHERE whole.small_rows = whole.rows AND whole.rows > 0
    UNION ALL
    (
        SELECT 1, {columns}
        FROM memories AS memory
        WHERE whole.small_rows < whole.rows AND {filters}
            AND (created_at, id) > (step.created_at, step.id) AND (created_at, id) <= ($3::bigint, $4::uuid)
        ORDER BY memory.created_at, memory.id LIMIT $5::bigint
    )
) AS frame
