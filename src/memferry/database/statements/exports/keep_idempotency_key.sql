-- Bind a key to the export made in this transaction. One that was bound over 24 hours ago makes way first: the
-- count waits for it.
WITH forgotten AS (
    DELETE FROM idempotency_keys WHERE key = $1 AND created_at < now_ms() - 86400000 RETURNING key
)
INSERT INTO idempotency_keys (key, request_sha256, export_id)
SELECT $1, $2, $3 FROM (SELECT count(*) FROM forgotten) AS done
