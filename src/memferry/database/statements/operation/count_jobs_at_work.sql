-- The number of running jobs of each worker; a job whose lease is over belongs to none.
SELECT leased_by, count(*) AS jobs FROM job_queue
WHERE status = 'running' AND leased_until >= clock_timestamp()
GROUP BY leased_by
