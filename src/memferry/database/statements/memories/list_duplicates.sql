-- Groups of memories of equal content in one namespace after the place ($3, $4, $5), the group with the oldest memory
-- first; of each up to $2 ids, oldest first. All contents that match are read, and sorted by a short hash, on disk if
-- they are many; only those alike are digested. An index of digests would cost each save more than such a list is worth.
SELECT namespace, sha256, count(*) AS count, min(created_at) AS first_at, max(created_at) AS last_at,
    array_agg(id ORDER BY number) FILTER (WHERE number <= $2) AS ids
FROM (
    SELECT alike.namespace, digest.sha256, alike.id, alike.created_at, row_number() OVER (
            PARTITION BY alike.namespace, digest.sha256 ORDER BY alike.created_at, alike.id) AS number
    FROM (
        SELECT namespace, id, created_at,
            count(*) OVER (PARTITION BY namespace, hashtextextended(content, 0)) AS rows
        FROM memories WHERE {filters}
    ) AS alike
    CROSS JOIN LATERAL (
        SELECT encode(sha256(convert_to(content, 'UTF8')), 'hex') COLLATE "C" AS sha256
        FROM memories WHERE memories.id = alike.id
    ) AS digest
    WHERE alike.rows > 1
) AS numbered
GROUP BY namespace, sha256
HAVING count(*) > 1 AND (min(created_at), sha256, namespace) > ($3::bigint, $4, $5)
ORDER BY first_at, sha256, namespace
LIMIT $1
