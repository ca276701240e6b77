-- Every worker, with the seconds since its last heartbeat.
SELECT id, host, pid, version, status, reason, started_at,
    extract(epoch FROM clock_timestamp() - seen_at)::float AS silent_seconds
FROM workers ORDER BY seen_at DESC, id
