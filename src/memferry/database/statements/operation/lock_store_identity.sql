-- The identity of the object store that the database holds; the lock lets one process at a time create it.
SELECT (SELECT value FROM keys WHERE name = 'store')
FROM (SELECT pg_advisory_xact_lock(hashtextextended('memferry store identity', 0))) AS locked
