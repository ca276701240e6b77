-- Namespaces are what the memories say; there is no second list to keep right.
SELECT namespace AS name, count(*) AS count, max(updated_at) AS last_updated
FROM memories
GROUP BY namespace
ORDER BY last_updated DESC, name
