-- Namespaces after the place ($2, $3), last changed first. They are counted from the memories: there is no second list
-- to keep right.
SELECT namespace AS name, count(*) AS count, max(updated_at) AS last_updated
FROM memories
GROUP BY namespace
HAVING (-max(updated_at), namespace) > ($2::bigint, $3)
ORDER BY last_updated DESC, name
LIMIT $1
