-- Whether the server is in recovery, and whether the snapshot shows a claim that the primary has committed.
SELECT pg_is_in_recovery() AS in_recovery,
    EXISTS (SELECT FROM jobs WHERE id = $1 AND attempt = $2 AND leased_by = $3) AS shown
