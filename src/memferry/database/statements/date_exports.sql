-- Give a time to what a worker of an older version has completed: that one knows of no expiry.
UPDATE export_queue SET expires_at = now_ms() + $1::bigint
WHERE status = 'completed' AND expires_at IS NULL
