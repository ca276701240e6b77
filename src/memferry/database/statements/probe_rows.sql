-- How many memories match, looking at no more than $1 of them, and what all of these and the largest may take before they
-- are rendered. If that is all, and $2 bytes at most, also their records in order, with newlines between: so few cost less
-- than a statement of their own.
SELECT found AS rows, all_bytes, largest_bytes, CASE WHEN found < $1 AND all_bytes <= $2::bigint THEN (
    SELECT coalesce(string_agg(line, e'\n'), '')
    FROM (SELECT {columns} AS line FROM memories AS memory WHERE {filters} ORDER BY created_at, id) AS record
) END AS lines
FROM (
    SELECT count(*) AS found, coalesce(sum(bytes), 0)::bigint AS all_bytes, coalesce(max(bytes), 0) AS largest_bytes
    FROM (
        SELECT unpacked_bytes(content, source_ref, tags, metadata) AS bytes FROM memories WHERE {filters} LIMIT $1
    ) AS looked_at
) AS probe
