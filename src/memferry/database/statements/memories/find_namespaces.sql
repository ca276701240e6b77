-- Namespaces whose names hold the text $1, up to $2. Names are found one after the other at the cost of an index entry
-- each, and not by reading all memories; 20,000 of them are looked at.
WITH RECURSIVE namespace (name, number) AS (
    (SELECT namespace, 1 FROM memories ORDER BY namespace LIMIT 1)
    UNION ALL
    SELECT (
        SELECT memories.namespace FROM memories
        WHERE memories.namespace > namespace.name ORDER BY memories.namespace LIMIT 1
    ), number + 1
    FROM namespace WHERE name IS NOT NULL AND number <= 20000
)
SELECT name FROM namespace
WHERE strpos(lower(name), lower($1)) > 0
LIMIT $2
