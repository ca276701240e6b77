-- End the sessions of workers whose transaction is older than $1 seconds, or $3 where it is one of an import, and any
-- transaction of the programs $2. No timeout does: one that waits for its client to take what it sends heeds none, and
-- what shares a snapshot must be idle for as long as others read in it.
SELECT pid, pg_terminate_backend(pid) AS ended
FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'memferry worker%' AND usename = current_user
    AND pid <> pg_backend_pid()
    AND ((application_name NOT LIKE '% import' AND xact_start < clock_timestamp() - make_interval(secs => $1))
        OR xact_start < clock_timestamp() - make_interval(secs => $3)
        OR (xact_start IS NOT NULL AND replace(application_name, ' import', '') = ANY ($2)))
