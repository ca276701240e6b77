-- The log of deliveries goes back 30 days; what still waits to be sent stays.
DELETE FROM delivery_queue WHERE created_at < now_ms() - 30 * 86400000::bigint AND next_attempt_at IS NULL
