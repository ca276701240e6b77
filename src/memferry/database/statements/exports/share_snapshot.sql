-- Let other transactions read what this one sees; the name works until this one ends, and on this server only.
SELECT pg_export_snapshot() AS name, pg_postmaster_start_time() AS server_started_at
