-- Where the range of $5 rows ends that begins after a row, if it ends before the last place; nothing when fewer rows are
-- left. Only the index is read.
SELECT created_at, id FROM memories
WHERE {filters} AND (created_at, id) > ($1::bigint, $2::uuid) AND (created_at, id) <= ($3::bigint, $4::uuid)
ORDER BY created_at, id OFFSET $5::bigint - 1 LIMIT 1
