-- A worker says that it is alive; by the database's clock, whatever its own says.
INSERT INTO workers (id, host, pid, version, status, reason)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET status = excluded.status, reason = excluded.reason, seen_at = clock_timestamp()
