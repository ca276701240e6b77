-- The log of deliveries goes back 30 days, and has $1 of each webhook; what still waits to be sent stays. One that is being
-- deleted with its webhook is left to whoever does that.
DELETE FROM delivery_queue AS delivery USING (
    SELECT tenant_id, id FROM delivery_queue
    WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM (
            SELECT tenant_id, id, created_at,
                row_number() OVER (PARTITION BY tenant_id, webhook_id ORDER BY created_at DESC, id DESC) AS place
            FROM delivery_queue WHERE next_attempt_at IS NULL
        ) AS settled
        WHERE created_at < now_ms() - 30 * 86400000::bigint OR place > $1)
    FOR UPDATE SKIP LOCKED
) AS old
WHERE delivery.tenant_id = old.tenant_id AND delivery.id = old.id
