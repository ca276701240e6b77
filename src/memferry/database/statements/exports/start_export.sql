-- Take one export out of the tenant's bucket of $2 an hour, unless a limit is reached: the answer names that limit and
-- says in how many seconds a retry may pass. A repeat, whose idempotency key $1 is known, takes nothing.
--
-- The bucket holds $2 exports and is full again at `full_at`; each export moves that by an hour / $2, and none may move
-- it further than an hour from now. Requests at the same time wait for the bucket's row. Nothing waits for the disk: a
-- start that a crash of the server forgets does no harm.
WITH bucket AS (
    SELECT interval '1 hour' / $2::float AS share, statement_timestamp() + interval '1 hour' AS latest,
        (SELECT full_at FROM export_buckets) AS full_at
), repeated AS (
    SELECT FROM idempotency_keys WHERE key = $1 AND created_at >= now_ms() - 86400000
), unfinished AS (
    SELECT 30 AS seconds FROM jobs WHERE status IN ('pending', 'running') HAVING count(*) >= $3::bigint
), stored AS (
    SELECT greatest((min(expires_at) - now_ms()) / 1000, 0) + 1 AS seconds
    FROM exports WHERE status = 'completed' HAVING sum(coalesce(file_bytes, bytes_done)) >= $4::bigint
), started AS (
    INSERT INTO export_buckets AS kept (full_at)
    SELECT statement_timestamp() + share FROM bucket
    WHERE NOT EXISTS (SELECT FROM repeated UNION ALL SELECT FROM unfinished UNION ALL SELECT FROM stored)
    ON CONFLICT (tenant_id) DO UPDATE
        SET full_at = greatest(kept.full_at, statement_timestamp()) + (SELECT share FROM bucket)
        WHERE greatest(kept.full_at, statement_timestamp()) + (SELECT share FROM bucket)
            <= (SELECT latest FROM bucket)
    RETURNING full_at
)
SELECT reached, seconds, set_config('synchronous_commit', 'off', true)
FROM (
    SELECT 1 AS place, NULL::text AS reached, NULL::bigint AS seconds FROM repeated
    UNION ALL SELECT 1, NULL, NULL FROM started
    UNION ALL SELECT 2, 'per_hour', ceil(extract(epoch FROM full_at + share - latest))::bigint
    FROM bucket WHERE full_at + share > latest
    UNION ALL SELECT 3, 'unfinished', seconds FROM unfinished
    UNION ALL SELECT 4, 'stored_bytes', seconds FROM stored
    -- Others have emptied the bucket since the statement began: it regains one within a share.
    UNION ALL SELECT 5, 'per_hour', ceil(extract(epoch FROM share))::bigint FROM bucket
) AS outcome
ORDER BY place LIMIT 1
