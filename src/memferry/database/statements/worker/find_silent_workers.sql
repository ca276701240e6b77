-- What the sessions of those workers are called of whom nothing was heard for $1 seconds.
SELECT 'memferry worker ' || right(id, 8) AS program
FROM workers WHERE seen_at < clock_timestamp() - make_interval(secs => $1)
