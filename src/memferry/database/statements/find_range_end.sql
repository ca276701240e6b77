-- Where the range of $3 rows ends that begins after a row; nothing when fewer rows are left. Only the index is read.
SELECT created_at, id FROM memories
WHERE {filters} AND (created_at, id) > ($1::bigint, $2::uuid)
ORDER BY created_at, id OFFSET $3::bigint - 1 LIMIT 1
