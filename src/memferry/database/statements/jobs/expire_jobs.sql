-- Let go of files and payloads whose time is over; SKIP LOCKED lets sweepers work side by side.
WITH due AS (
    SELECT tenant_id, id, object_key FROM job_queue
    WHERE status = 'completed' AND expires_at <= now_ms()
    ORDER BY expires_at
    LIMIT $1 FOR UPDATE SKIP LOCKED
), emptied AS (
    DELETE FROM payload_queue AS payload USING due
    WHERE payload.tenant_id = due.tenant_id AND payload.export_id = due.id
)
UPDATE job_queue AS job SET status = 'expired', object_key = NULL
FROM due
WHERE job.tenant_id = due.tenant_id AND job.id = due.id
RETURNING due.object_key
