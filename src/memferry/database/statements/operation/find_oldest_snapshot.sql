-- The age in seconds of the oldest snapshot of an export; NULL if no export is being read. As the owner.
SELECT extract(epoch FROM max(clock_timestamp() - xact_start))::float
FROM pg_stat_activity
WHERE application_name LIKE 'memferry%' AND datname = current_database()
    AND state = 'active' AND query LIKE 'COPY%'
