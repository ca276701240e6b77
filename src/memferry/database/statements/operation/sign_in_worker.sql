-- Record the heartbeat of a worker, by the clock of the database.
INSERT INTO workers (id, host, pid, version, status, reason)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET status = excluded.status, reason = excluded.reason, seen_at = clock_timestamp()
