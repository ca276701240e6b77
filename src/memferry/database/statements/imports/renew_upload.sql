-- Keep the claim on the key of a file that is coming. One that has lapsed is over for good: the sweeper may have removed
-- the file.
UPDATE import_uploads SET leased_until = now() + make_interval(secs => $2)
WHERE id = $1 AND leased_until >= now()
RETURNING id
