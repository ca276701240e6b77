-- The primary's clock, then its position: what was answered before that time is before that position. `identity` tells
-- this database from others. NULL as position: the server is a standby itself by now.
SELECT floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint AS taken_at,
    CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_insert_lsn() END AS lsn,
    (SELECT value FROM keys WHERE name = 'database') AS identity
