-- Whether a worker other than $1 is alive and reaches its store.
SELECT EXISTS (
    SELECT FROM workers
    WHERE id <> $1 AND status = 'working' AND seen_at > clock_timestamp() - make_interval(secs => $2))
