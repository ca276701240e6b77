-- The start time of a server, which tells it from every other server and from itself before a restart.
SELECT pg_postmaster_start_time()
