-- Namespaces are what the memories say; there is no second list to keep right. The last changed first, those behind the
-- place ($2, $3).
SELECT namespace AS name, count(*) AS count, max(updated_at) AS last_updated
FROM memories
GROUP BY namespace
HAVING (-max(updated_at), namespace) > ($2::bigint, $3)
ORDER BY last_updated DESC, name
LIMIT $1
