-- Give a time to what a worker of an older version has completed: that one knows of no expiry.
WITH undated AS (
    SELECT tenant_id, id FROM export_queue
    WHERE status = 'completed' AND expires_at IS NULL
    FOR UPDATE SKIP LOCKED
)
UPDATE export_queue AS export SET expires_at = now_ms() + $1::bigint
FROM undated
WHERE export.tenant_id = undated.tenant_id AND export.id = undated.id
