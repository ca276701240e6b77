-- What the tenant uses of each limit; a column has the name of its limit.
SELECT
    (SELECT coalesce(sum(rows), 0)::bigint FROM memory_usage) AS memories,
    (SELECT coalesce(sum(bytes), 0)::bigint FROM memory_usage) AS memory_bytes,
    (SELECT count(*) FROM webhooks) AS webhooks,
    (SELECT count(*) FROM messages) AS waiting_messages,
    (SELECT coalesce(sum(bytes), 0)::bigint FROM messages) AS waiting_message_bytes,
    (SELECT count(*) FROM export_starts WHERE started_at > now_ms() - 3600000) AS exports_per_hour,
    count(*) FILTER (WHERE status IN ('pending', 'running')) AS unfinished_exports,
    coalesce(sum(coalesce(file_bytes, bytes_done)) FILTER (WHERE status = 'completed'), 0)::bigint AS stored_bytes
FROM exports
