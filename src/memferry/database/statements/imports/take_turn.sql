-- One import of a tenant is merged at a time: two that bring the same memories would wait for each other row by row.
SELECT pg_advisory_xact_lock(hashtextextended('memferry import ' || current_setting('memferry.tenant'), 0))
