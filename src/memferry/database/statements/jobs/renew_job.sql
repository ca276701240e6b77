-- Keep the lease and say how far the work is; no row back means that the lease was lost.
UPDATE jobs
SET leased_until = now() + make_interval(secs => $4),
    rows_done = greatest(rows_done, $5), bytes_done = greatest(bytes_done, $6)
WHERE id = $1 AND status = 'running' AND attempt = $2 AND leased_by = $3
RETURNING id
