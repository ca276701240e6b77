-- Whether a server is a standby of the database with the identity $2, and has replayed the primary's position $1.
SELECT pg_is_in_recovery() AS in_recovery,
    EXISTS (SELECT FROM keys WHERE name = 'database' AND value = $2) AS same_database,
    coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, FALSE) AS replayed
