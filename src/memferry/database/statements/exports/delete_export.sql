-- Remove a finished export with its payload and its idempotency keys.
WITH removed AS (
    DELETE FROM exports
    WHERE id = $1 AND status NOT IN ('pending', 'running')
    RETURNING id, request, row_count, bytes_done
)
SELECT id, note('export.deleted', 'ok', id, request -> 'filters', row_count, bytes_done) FROM removed
