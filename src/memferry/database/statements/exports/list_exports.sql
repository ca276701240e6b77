-- The most recent exports, newest first, those behind the place ($2, $3); only those of the token $4, if it is given.
SELECT *, status = 'completed' AND expires_at <= now_ms() AS lapsed
FROM exports
WHERE (created_at, id) < ($2::bigint, $3::text) AND ($4::uuid IS NULL OR token_id = $4)
ORDER BY created_at DESC, id DESC LIMIT $1
