-- The word of the store that the database keeps; one process at a time agrees with its store on one.
SELECT (SELECT value FROM keys WHERE name = 'store')
FROM (SELECT pg_advisory_xact_lock(hashtextextended('memferry store identity', 0))) AS locked
