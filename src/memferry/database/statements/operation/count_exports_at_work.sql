-- The number of running exports of each worker; an export whose lease is over belongs to none.
SELECT leased_by, count(*) AS exports FROM job_queue
WHERE status = 'running' AND leased_until >= clock_timestamp()
GROUP BY leased_by
