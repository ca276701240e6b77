-- Whether there may be a job to claim: looked at before the store is, which costs more.
SELECT EXISTS (
    SELECT FROM job_queue
    WHERE status = 'pending' OR (status = 'running' AND leased_until < clock_timestamp()))
