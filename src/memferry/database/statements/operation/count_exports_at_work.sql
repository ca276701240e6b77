-- How many exports each worker has in hand; one whose lease is over is nobody's.
SELECT leased_by, count(*) AS exports FROM export_queue
WHERE status = 'running' AND leased_until >= clock_timestamp()
GROUP BY leased_by
