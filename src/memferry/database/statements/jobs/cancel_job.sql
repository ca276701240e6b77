-- End an unfinished job. Its worker, if it has one, finds its lease gone and publishes nothing.
WITH ended AS (
    UPDATE jobs
    SET status = 'cancelled', completed_at = now_ms(), leased_by = NULL, leased_until = NULL
    WHERE id = $1 AND type = $2 AND status IN ('pending', 'running')
    RETURNING id, type, request
)
SELECT id, note(type || '.cancelled', 'ok', id, request -> 'filters') FROM ended
