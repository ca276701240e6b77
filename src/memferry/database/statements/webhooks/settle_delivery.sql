-- Record how an attempt ended, unless a later attempt has begun; too many failures in a row disable the webhook. After the
-- last attempt the delivery gives up its message, which may hold a memory that is deleted later.
WITH settled AS (
    UPDATE deliveries SET
        delivered_at = CASE WHEN $3 THEN now_ms() END,
        next_attempt_at = now() + make_interval(secs => $6::double precision),
        last_status = $4, last_error = $5,
        message_id = CASE WHEN $6 IS NOT NULL THEN message_id END
    WHERE id = $1 AND attempt = $2 AND delivered_at IS NULL
    RETURNING webhook_id
)
UPDATE webhooks SET
    consecutive_failures = CASE WHEN $3 THEN 0 ELSE consecutive_failures + 1 END,
    last_success_at = CASE WHEN $3 THEN now_ms() ELSE last_success_at END,
    last_failure_at = CASE WHEN $3 THEN last_failure_at ELSE now_ms() END,
    enabled = enabled AND ($3 OR consecutive_failures + 1 < $7)
FROM settled WHERE webhooks.id = settled.webhook_id
