-- As revoke_token, for the current tenant. Revoking a token again changes nothing and answers the same.
WITH found AS (
    SELECT id FROM tokens WHERE id = $1
), revoked AS (
    UPDATE tokens SET revoked_at = now_ms() WHERE id = $1 AND revoked_at IS NULL RETURNING id
), unfinished AS (
    SELECT job.id FROM jobs AS job JOIN revoked ON job.token_id = revoked.id
    WHERE job.status IN ('pending', 'running')
    ORDER BY job.id FOR UPDATE OF job
), cancelled AS (
    UPDATE jobs SET status = 'cancelled', completed_at = now_ms(), leased_by = NULL, leased_until = NULL
    FROM unfinished
    WHERE jobs.id = unfinished.id
    RETURNING jobs.id, jobs.type
), noted AS (
    INSERT INTO audit (event, outcome, subject, detail)
    SELECT 'token.revoked', 'ok', id::text, NULL FROM revoked
    UNION ALL
    SELECT type || '.cancelled', 'ok', id, 'token revoked' FROM cancelled
)
SELECT id FROM found
