-- Publish the result of a job; its file, if there is one, can be downloaded from now on. Only the holder of the lease can.
-- The event of a type begins with its name.
WITH done AS (
    UPDATE jobs
    SET status = 'completed', row_count = $4, rows_done = $4, bytes_done = $5, sha256 = $6,
        object_key = $7, snapshot_at = $8, completed_at = coalesce($12::bigint, now_ms()),
        expires_at = coalesce($12::bigint, now_ms()) + $9::bigint, file_bytes = $10, file_sha256 = $11,
        parts = $13::json, expired_rows = $14::bigint, leased_by = NULL, leased_until = NULL
    WHERE id = $1 AND status = 'running' AND attempt = $2 AND leased_by = $3
    RETURNING *
), event AS (
    SELECT id, status, request ->> 'format' AS format, row_count, error, created_at, completed_at FROM done
)
SELECT done.id, tell(done.type || '.completed', row_to_json(event)),
    note(done.type || '.completed', 'ok', done.id, done.request -> 'filters', done.row_count, done.bytes_done,
        event.format, done.token_id)
FROM done, event
