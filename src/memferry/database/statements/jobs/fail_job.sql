-- Give up on a job, with the reason. Only the holder of the lease can. The event of a type begins with its name.
WITH done AS (
    UPDATE jobs
    SET status = 'failed', error = $4, error_code = $5, retryable = $6, completed_at = now_ms(),
        leased_by = NULL, leased_until = NULL
    WHERE id = $1 AND status = 'running' AND attempt = $2 AND leased_by = $3
    RETURNING *
), event AS (
    SELECT id, status, request ->> 'format' AS format, row_count, error, error_code, created_at, completed_at
    FROM done
)
SELECT done.id, tell(done.type || '.failed', row_to_json(event)),
    note(done.type || '.failed', done.error_code, done.id, done.request -> 'filters', NULL, NULL, event.format,
        done.token_id)
FROM done, event
