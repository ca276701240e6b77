-- End the sessions of workers whose transaction is older than $1 seconds, or that said nothing for $2 seconds. No timeout
-- does: one that waits for its client to take what it sends heeds none, and what shares a snapshot must be idle for as long
-- as others read in it.
SELECT pid, pg_terminate_backend(pid) AS ended
FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'memferry worker%' AND usename = current_user
    AND pid <> pg_backend_pid()
    AND (xact_start < clock_timestamp() - make_interval(secs => $1)
        OR (xact_start IS NOT NULL AND EXISTS (
            SELECT FROM workers
            WHERE application_name = 'memferry worker ' || right(workers.id, 8)
                AND seen_at < clock_timestamp() - make_interval(secs => $2))))
