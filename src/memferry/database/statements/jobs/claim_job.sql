-- Give one worker a job that nobody is working on and whose needs it meets: of the tenants below their cap the one with
-- the fewest jobs at work, of these the one that was not served for longest, and of its jobs the oldest. Jobs of all types
-- count alike. Runs exclusively (pool.py), so that no other claim changes the counts meanwhile, and by the time of the
-- statement: the lock may have been waited for.
-- A dead worker stops renewing its lease, and its job becomes free again.
-- The attempt counts as a failure until it proves otherwise: a job that kills its worker runs out of them.
-- `waiting` steps through the index from tenant to tenant, however many jobs each has queued
-- (https://wiki.postgresql.org/wiki/Loose_indexscan).
WITH RECURSIVE at_work AS (
    SELECT tenant_id, count(*) AS jobs FROM job_queue
    WHERE status = 'running' AND leased_until >= statement_timestamp()
    GROUP BY tenant_id
), waiting (tenant_id) AS (
    (SELECT tenant_id FROM job_queue WHERE status = 'pending' ORDER BY tenant_id LIMIT 1)
    UNION
    SELECT (
        SELECT later.tenant_id FROM job_queue AS later
        WHERE later.status = 'pending' AND later.tenant_id > waiting.tenant_id
        ORDER BY later.tenant_id LIMIT 1
    )
    FROM waiting WHERE waiting.tenant_id IS NOT NULL
), free AS (
    SELECT oldest.tenant_id, oldest.id
    FROM waiting CROSS JOIN LATERAL (
        SELECT job.tenant_id, job.id FROM job_queue AS job
        WHERE job.status = 'pending' AND job.tenant_id = waiting.tenant_id
            AND job.needs <@ $3::text[]
        ORDER BY job.created_at, job.id LIMIT 1
    ) AS oldest
    UNION ALL
    SELECT tenant_id, id FROM job_queue
    WHERE status = 'running' AND leased_until < statement_timestamp() AND needs <@ $3::text[]
), next AS (
    SELECT job.tenant_id, job.id
    FROM free
    JOIN job_queue AS job ON job.tenant_id = free.tenant_id AND job.id = free.id
    LEFT JOIN at_work ON at_work.tenant_id = free.tenant_id
    LEFT JOIN job_turns AS turn ON turn.tenant_id = free.tenant_id
    WHERE coalesce(at_work.jobs, 0) < $4
        -- Once more, for what was renewed or cancelled since the statement began: a locked row is looked at again.
        AND (job.status = 'pending'
            OR (job.status = 'running' AND job.leased_until < statement_timestamp()))
    ORDER BY coalesce(at_work.jobs, 0), turn.claimed_at NULLS FIRST, job.created_at, job.id
    LIMIT 1 FOR UPDATE OF job SKIP LOCKED
), served AS (
    INSERT INTO job_turns (tenant_id, claimed_at) SELECT tenant_id, statement_timestamp() FROM next
    ON CONFLICT (tenant_id) DO UPDATE SET claimed_at = excluded.claimed_at
)
UPDATE job_queue AS job
SET status = 'running', attempt = attempt + 1, failures = failures + 1, leased_by = $1,
    leased_until = statement_timestamp() + make_interval(secs => $2)
FROM next
WHERE job.tenant_id = next.tenant_id AND job.id = next.id
RETURNING job.tenant_id, job.id, job.type, job.attempt
