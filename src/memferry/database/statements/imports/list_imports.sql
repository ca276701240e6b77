-- The most recent imports, newest first, those behind the place ($2, $3).
SELECT * FROM imports
WHERE (created_at, id) < ($2::bigint, $3::text)
ORDER BY created_at DESC, id DESC LIMIT $1
