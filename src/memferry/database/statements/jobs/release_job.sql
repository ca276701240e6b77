-- Give the lease back after a failed attempt: the job is free again after a pause.
UPDATE jobs
SET leased_until = now() + make_interval(secs => $4), last_error = $5
WHERE id = $1 AND status = 'running' AND attempt = $2 AND leased_by = $3
RETURNING id
