-- The most recent exports, newest first.
SELECT * FROM exports ORDER BY created_at DESC, id DESC LIMIT $1
