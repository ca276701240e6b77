-- Give the lease back because the worker stops: nothing counts against the job.
UPDATE jobs SET leased_until = now() + make_interval(secs => $4), failures = failures - 1
WHERE id = $1 AND status = 'running' AND attempt = $2 AND leased_by = $3
RETURNING id
