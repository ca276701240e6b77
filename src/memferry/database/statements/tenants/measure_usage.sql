-- What the tenant uses of each limit; a column has the name of its limit. $1 is the limit of exports per hour.
SELECT
    (SELECT coalesce(sum(rows), 0)::bigint FROM memory_usage) AS memories,
    (SELECT coalesce(sum(bytes), 0)::bigint FROM memory_usage) AS memory_bytes,
    (SELECT count(*) FROM webhooks) AS webhooks,
    (SELECT count(*) FROM projects) AS projects,
    (SELECT count(*) FROM messages) AS waiting_messages,
    (SELECT coalesce(sum(bytes), 0)::bigint FROM messages) AS waiting_message_bytes,
    coalesce((
        SELECT least(ceil(extract(epoch FROM full_at - statement_timestamp()) / 3600 * $1::bigint), $1)::bigint
        FROM export_buckets WHERE full_at > statement_timestamp()
    ), 0) AS exports_per_hour,
    (SELECT count(*) FROM jobs WHERE status IN ('pending', 'running')) AS unfinished_exports,
    (SELECT coalesce(sum(coalesce(file_bytes, bytes_done)), 0)::bigint
        FROM exports WHERE status = 'completed') AS stored_bytes
