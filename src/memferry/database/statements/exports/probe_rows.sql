-- How many memories match, as probe_export says it, and where they are fewer than $1 what all and the largest of them may
-- take before they are rendered. If that is $2 bytes at most, also their records in order, with newlines between: so few
-- cost less than a statement of their own.
SELECT found AS rows, all_bytes, largest_bytes, CASE WHEN found < $1 AND all_bytes <= $2::bigint THEN (
    SELECT coalesce(string_agg(line, e'\n'), '')
    FROM (SELECT {columns} AS line FROM memories AS memory WHERE {filters} ORDER BY created_at, id) AS record
) END AS lines
FROM (SELECT count(*) AS found FROM (SELECT FROM memories WHERE {filters} LIMIT $1) AS few) AS probe
CROSS JOIN LATERAL (
    SELECT coalesce(sum(bytes), 0)::bigint AS all_bytes, coalesce(max(bytes), 0) AS largest_bytes
    FROM (
        SELECT unpacked_bytes(content, source_ref, tags, metadata) AS bytes
        FROM memories WHERE {filters} AND found < $1
    ) AS each_row
) AS measured
