-- The rows of an export like export_rows, for filters whose index has no order: the keys are sorted, about 64 bytes
-- each, and every row is looked up by its key. A sort of whole rows would write the export into a temporary file first.
-- OFFSET 0 keeps both subqueries apart, so the join is a nested loop, and a nested loop keeps the order of its keys.
-- Run inside COPY (...) TO STDOUT.
SELECT {columns}
FROM (
    SELECT created_at AS key_time, id AS key_id FROM memories WHERE {filters} ORDER BY created_at, id OFFSET 0
) AS key
CROSS JOIN LATERAL (SELECT * FROM memories WHERE memories.id = key.key_id OFFSET 0) AS memory
ORDER BY key.key_time, key.key_id
