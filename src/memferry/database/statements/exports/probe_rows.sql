-- How many memories match, as probe_export says it, and how many bytes of content the first $2 of them have on average.
-- If there are no more than $2, and they have no more than $3 bytes of content, also their records in order with the
-- format's separator between them: so few cost less than a statement of their own. A record of more than $4 bytes is left out,
-- and `ready_rows` tells so.
SELECT probe.rows, (SELECT count(*) FROM expired_memories WHERE {filters}) AS expired_rows, coalesce(sample.bytes / nullif(sample.rows, 0), 0)::bigint AS mean_bytes, ready.rows AS ready_rows,
    ready.records
FROM (SELECT count(*) AS rows FROM (SELECT FROM memories WHERE {filters} LIMIT $1) AS few) AS probe
CROSS JOIN (
    SELECT count(*) AS rows, sum(octet_length(content)) AS bytes
    FROM (SELECT content FROM memories WHERE {filters} ORDER BY created_at, id LIMIT $2) AS first
) AS sample
CROSS JOIN LATERAL (
    SELECT count(record) AS rows, coalesce(string_agg(record, $5::text), '') AS records
    FROM (
        SELECT {columns} AS record FROM memories AS memory
        WHERE probe.rows <= $2 AND sample.bytes <= $3::bigint AND {filters}
        ORDER BY created_at, id
    ) AS rendered
    WHERE octet_length(record) <= $4::integer
) AS ready
