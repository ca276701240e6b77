-- Claim deliveries that are due by moving their next attempt into the future: if the worker dies, they are due again.
WITH due AS (
    SELECT tenant_id, id FROM delivery_queue
    WHERE next_attempt_at <= now()
    ORDER BY next_attempt_at
    LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE delivery_queue AS delivery
SET attempt = attempt + 1, next_attempt_at = now() + make_interval(secs => $2)
FROM due
WHERE delivery.tenant_id = due.tenant_id AND delivery.id = due.id
RETURNING delivery.tenant_id, delivery.id, delivery.attempt
