-- Tells a server from all others, and from itself before a restart.
SELECT pg_postmaster_start_time()
