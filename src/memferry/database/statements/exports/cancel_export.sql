-- End an unfinished export. Its worker, if it has one, finds its lease gone and publishes nothing.
WITH ended AS (
    UPDATE exports
    SET status = 'cancelled', completed_at = now_ms(), leased_by = NULL, leased_until = NULL
    WHERE id = $1 AND status IN ('pending', 'running')
    RETURNING id, request
)
SELECT id, note('export.cancelled', 'ok', id, request -> 'filters') FROM ended
