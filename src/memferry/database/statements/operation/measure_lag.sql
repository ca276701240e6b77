-- How far a standby is behind the primary's position $1, and the age of the last commit that it has replayed. As the
-- owner.
SELECT pg_wal_lsn_diff($1::pg_lsn, pg_last_wal_replay_lsn())::bigint AS bytes,
    extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float AS seconds,
    pg_is_wal_replay_paused() AS paused
