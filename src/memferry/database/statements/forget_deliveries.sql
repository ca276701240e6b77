-- The log of deliveries goes back 30 days; what still waits to be sent stays. One that is being deleted with its webhook is
-- left to whoever does that.
DELETE FROM delivery_queue AS delivery USING (
    SELECT tenant_id, id FROM delivery_queue
    WHERE created_at < now_ms() - 30 * 86400000::bigint AND next_attempt_at IS NULL
    FOR UPDATE SKIP LOCKED
) AS old
WHERE delivery.tenant_id = old.tenant_id AND delivery.id = old.id
