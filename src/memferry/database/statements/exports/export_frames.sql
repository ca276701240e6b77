-- The rows of one range like export_range, up to $5 of them in each frame: the frame's number, how many rows, and their
-- records with the format's separator between them. Run inside COPY (...) TO STDOUT (FORMAT binary).
-- A frame holds only records of $6 bytes at most, so its size is bounded before it is built. Where one of the rows is
-- larger, each row of that step comes in a frame of its own; most large rows are known by their content, before they are
-- rendered in vain.
-- `step` walks the range by the index. The number shows that frames came in order, which no ORDER BY says: a sort would
-- hold the whole range.
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
    SELECT count(*) AS rows, count(*) FILTER (WHERE octet_length(record) <= $6::integer) AS small_rows,
        string_agg(record, $7::text) FILTER (WHERE octet_length(record) <= $6::integer) AS records
    FROM (
        SELECT CASE WHEN octet_length(content) <= $6::integer THEN {columns} END AS record
        FROM memories AS memory
        WHERE {filters}
            AND (created_at, id) > (step.created_at, step.id) AND (created_at, id) <= ($3::bigint, $4::uuid)
        ORDER BY created_at, id LIMIT $5::bigint
    ) AS rendered
) AS whole CROSS JOIN LATERAL (
    SELECT whole.rows, whole.records WHERE whole.small_rows = whole.rows AND whole.rows > 0
    UNION ALL
    (
        SELECT 1, {columns}
        FROM memories AS memory
        WHERE whole.small_rows < whole.rows AND {filters}
            AND (created_at, id) > (step.created_at, step.id) AND (created_at, id) <= ($3::bigint, $4::uuid)
        ORDER BY created_at, id LIMIT $5::bigint
    )
) AS frame
