-- The place of the row that is number $1 of the newest ones.
SELECT created_at, id FROM memories
WHERE {filters}
ORDER BY created_at DESC, id DESC
LIMIT 1 OFFSET $1 - 1
