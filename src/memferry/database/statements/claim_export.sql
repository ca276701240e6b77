-- Give one worker the oldest export that nobody is working on and whose format it can write.
-- SKIP LOCKED lets workers claim side by side without waiting for each other.
-- A dead worker stops renewing its lease, and its export becomes free again.
-- The attempt counts as a failure until it proves otherwise: an export that kills its worker runs out of them.
WITH free AS (
    SELECT tenant_id, id FROM export_queue
    WHERE (status = 'pending' OR (status = 'running' AND leased_until < now()))
        AND format = ANY ($3)
    ORDER BY created_at, id
    LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE export_queue AS export
SET status = 'running', attempt = attempt + 1, failures = failures + 1, leased_by = $1,
    leased_until = now() + make_interval(secs => $2)
FROM free
WHERE export.tenant_id = free.tenant_id AND export.id = free.id
RETURNING export.tenant_id, export.id, export.attempt
