-- Mark a tenant as leaving, delete its tokens and cancel its unfinished jobs: from now on nobody can call for it,
-- nothing is added to it, and no worker publishes anything of it. Running it again changes nothing. As the owner.
WITH leaving AS (
    UPDATE memferry.tenants SET leaving_at = coalesce(leaving_at, memferry.now_ms())
    WHERE name = $1
    RETURNING id
), silenced AS (
    DELETE FROM memferry.tokens USING leaving WHERE tokens.tenant_id = leaving.id RETURNING tokens.id
), unfinished AS (
    SELECT job.tenant_id, job.id
    FROM memferry.jobs AS job
    -- The tokens first, and jobs by id, as when a token is revoked.
    JOIN (SELECT leaving.id FROM leaving, (SELECT count(*) FROM silenced) AS done) AS tenant
        ON job.tenant_id = tenant.id
    WHERE job.status IN ('pending', 'running')
    ORDER BY job.id FOR UPDATE OF job
), ended AS (
    UPDATE memferry.jobs
    SET status = 'cancelled', completed_at = memferry.now_ms(), leased_by = NULL, leased_until = NULL
    FROM unfinished
    WHERE jobs.tenant_id = unfinished.tenant_id AND jobs.id = unfinished.id
)
SELECT id FROM leaving
