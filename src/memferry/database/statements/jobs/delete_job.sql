-- Remove a finished job; what refers to it goes with it.
WITH removed AS (
    DELETE FROM jobs
    WHERE id = $1 AND type = $2 AND status NOT IN ('pending', 'running')
    RETURNING id, type, request, row_count, bytes_done
)
SELECT id, note(type || '.deleted', 'ok', id, request -> 'filters', row_count, bytes_done) FROM removed
