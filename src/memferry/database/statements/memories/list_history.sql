-- The changes of a memory after version $2, up to $3 of them, oldest first; of a deleted one as well. No row at all where
-- the caller may not see the memory, or its last namespace. Every memory has been created, of which no entry is kept; a
-- token that is limited to namespaces ($5) sees it where it sees the first namespace. Former states beyond the first $4
-- bytes are left out.
WITH life AS (
    SELECT saved_at, version, begun_at, saved_by FROM stored_memories
    WHERE id = $1 AND EXISTS (SELECT FROM memories WHERE memories.id = $1)
    UNION ALL (
        SELECT saved_at, version, begun_at, saved_by FROM changes
        WHERE memory_id = $1 AND kind = 'delete' AND NOT EXISTS (SELECT FROM stored_memories WHERE id = $1)
        ORDER BY saved_at DESC LIMIT 1
    )
)
SELECT entry.version, entry.changed_at, entry.kind, entry.via, entry.token_id, entry.prev_content_len,
    entry.former_bytes, CASE WHEN entry.sum_bytes <= $4 OR entry.place = 1 THEN entry.former END AS former
FROM life LEFT JOIN LATERAL (
    SELECT page.*, octet_length(former) AS former_bytes, sum(octet_length(former)) OVER oldest AS sum_bytes,
        row_number() OVER oldest AS place
    FROM (
        SELECT 1 AS version, life.begun_at AS changed_at, 'create' AS kind, NULL::text AS via, life.saved_by AS token_id,
            NULL::integer AS prev_content_len, NULL::text AS former
        WHERE $2::integer < 1 AND (life.version = 1 OR NOT $5::boolean
            OR EXISTS (
                SELECT FROM changes WHERE memory_id = $1 AND changes.saved_at = life.saved_at AND version = 2))
        UNION ALL
        SELECT version, changed_at, kind, via, token_id, prev_content_len, former
        FROM changes WHERE memory_id = $1 AND changes.saved_at = life.saved_at AND version > $2::integer
        ORDER BY version LIMIT $3
    ) AS page
    WINDOW oldest AS (ORDER BY page.version)
) AS entry ON true
ORDER BY entry.version
