-- How many memories the caller sees, when the first and the last of them were created, and in how many namespaces they
-- are. The number is kept with every save; a token that is limited to namespaces ($1) has its own counted. Namespaces are
-- found one after the other at the cost of an index entry each, up to $2 of them.
WITH RECURSIVE namespace (name, number) AS (
    (SELECT namespace, 1 FROM memories ORDER BY namespace LIMIT 1)
    UNION ALL
    SELECT (
        SELECT memories.namespace FROM memories
        WHERE memories.namespace > namespace.name ORDER BY memories.namespace LIMIT 1
    ), number + 1
    FROM namespace WHERE name IS NOT NULL AND number < $2::integer
)
SELECT
    CASE WHEN $1::boolean THEN (SELECT count(*) FROM memories)
        ELSE (SELECT coalesce(sum(rows), 0)::bigint FROM memory_usage) END AS memories,
    (SELECT min(created_at) FROM memories) AS first_at,
    (SELECT max(created_at) FROM memories) AS last_at,
    (SELECT count(name) FROM namespace) AS namespaces
