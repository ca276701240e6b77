-- Every worker, and for how long nothing was heard of it.
SELECT id, host, pid, version, status, reason, started_at,
    extract(epoch FROM clock_timestamp() - seen_at)::float AS silent_seconds
FROM workers ORDER BY seen_at DESC, id
