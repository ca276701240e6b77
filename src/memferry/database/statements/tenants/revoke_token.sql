-- Revoke a token: each request looks its token up, so the next one is refused. The token's unfinished jobs are
-- cancelled; one that is being queued at this moment ends when a worker reads it (get_job). Several jobs are locked
-- in the order of their ids, as everywhere. As the owner.
WITH revoked AS (
    UPDATE memferry.tokens SET revoked_at = memferry.now_ms()
    WHERE (id = $1 OR sha256 = $2) AND revoked_at IS NULL
    RETURNING tenant_id, id
), unfinished AS (
    SELECT job.tenant_id, job.id
    FROM memferry.jobs AS job
    JOIN revoked ON job.tenant_id = revoked.tenant_id AND job.token_id = revoked.id
    WHERE job.status IN ('pending', 'running')
    ORDER BY job.id FOR UPDATE OF job
), cancelled AS (
    UPDATE memferry.jobs SET status = 'cancelled', completed_at = memferry.now_ms(),
        leased_by = NULL, leased_until = NULL
    FROM unfinished
    WHERE jobs.tenant_id = unfinished.tenant_id AND jobs.id = unfinished.id
    RETURNING jobs.tenant_id, jobs.id, jobs.type
), noted AS (
    INSERT INTO memferry.audit (tenant_id, event, outcome, subject, detail)
    SELECT tenant_id, 'token.revoked', 'ok', id::text, NULL FROM revoked
    UNION ALL
    SELECT tenant_id, type || '.cancelled', 'ok', id, 'token revoked' FROM cancelled
)
SELECT id FROM revoked
