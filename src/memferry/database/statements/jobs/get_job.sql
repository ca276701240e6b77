-- What the holder of a lease has to do, and how the attempts before ended. A job that was queued while its token was
-- being revoked ends here.
WITH cancelled AS (
    UPDATE jobs
    SET status = 'cancelled', completed_at = now_ms(), leased_by = NULL, leased_until = NULL
    WHERE id = $1 AND status = 'running' AND attempt = $2 AND leased_by = $3
        AND EXISTS (SELECT FROM tokens WHERE tokens.id = jobs.token_id AND tokens.revoked_at IS NOT NULL)
    RETURNING id, type, token_id
), noted AS (
    INSERT INTO audit (event, outcome, subject, detail, token_id)
    SELECT type || '.cancelled', 'ok', id, 'token revoked', token_id FROM cancelled
)
SELECT request, namespaces, token_id, failures, last_error
FROM jobs
WHERE id = $1 AND status = 'running' AND attempt = $2 AND leased_by = $3
    AND NOT EXISTS (SELECT FROM cancelled)
