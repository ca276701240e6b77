-- Keys bind for 24 hours.
DELETE FROM idempotency_queue WHERE created_at < now_ms() - 86400000
