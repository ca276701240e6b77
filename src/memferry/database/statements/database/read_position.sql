-- The primary's clock and, read after it, the position of its write-ahead log: a commit that was answered before that
-- time lies before that position. `identity` tells this database from others. No row if the server is itself a standby
-- by now. The next record comes after the header of its page (24 bytes, 40 in a new segment), which no standby replays
-- alone: where nothing follows the header, the position is the start of the page.
WITH log AS MATERIALIZED (
    SELECT pg_current_wal_flush_lsn() AS flushed, pg_current_wal_insert_lsn() AS inserted
    WHERE NOT pg_is_in_recovery()
)
SELECT floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint AS taken_at,
    CASE WHEN inserted - flushed <= 40
            AND (flushed - '0/0'::pg_lsn) % current_setting('wal_block_size')::integer = 0
        THEN flushed ELSE inserted END AS lsn,
    (SELECT value FROM keys WHERE name = 'database') AS identity
FROM log
