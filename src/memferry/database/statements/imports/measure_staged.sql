-- How many staged rows are new and how many bytes they have, and whether the tenant has room for them: at most $1
-- memories and $2 bytes.
WITH added AS (
    SELECT count(*) AS rows, coalesce(sum(text_bytes(content, source_ref, tags, metadata::json)), 0)::bigint AS bytes
    FROM staged_memories AS staged
    WHERE NOT EXISTS (SELECT FROM settled_memories AS settled WHERE settled.place = staged.place)
), used AS (
    SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(bytes), 0) AS bytes FROM memory_usage
)
SELECT added.rows, added.bytes, used.rows + added.rows > $1::bigint AS too_many,
    used.bytes + added.bytes > $2::bigint AS too_large
FROM added, used
