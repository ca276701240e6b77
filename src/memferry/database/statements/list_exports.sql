-- The most recent exports, newest first.
SELECT *, status = 'completed' AND expires_at <= now_ms() AS lapsed
FROM exports ORDER BY created_at DESC, id DESC LIMIT $1
