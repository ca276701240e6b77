-- Which of these stored things nobody needs now or ever: neither the file of a completed job with what is named after
-- it, nor what the attempt that runs now is writing, nor an upload (attempt 0) that is still coming or that a job has
-- still to read. Those of tenants that never were here belong to somebody else and are left alone.
SELECT stored.name
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::integer[])
    AS stored (name, tenant_id, job_id, attempt)
WHERE EXISTS (SELECT FROM tenant_ids WHERE tenant_ids.id = stored.tenant_id)
    AND NOT EXISTS (
        SELECT FROM job_queue AS job
        WHERE job.tenant_id = stored.tenant_id AND job.id = stored.job_id
            AND (job.object_key = stored.name OR starts_with(stored.name, job.object_key || '.')
                OR (job.status = 'running' AND job.attempt = stored.attempt)
                OR (job.status IN ('pending', 'running') AND stored.attempt = 0)))
    AND NOT EXISTS (
        SELECT FROM upload_queue AS upload
        WHERE upload.tenant_id = stored.tenant_id AND upload.id = stored.job_id
            AND stored.attempt = 0 AND upload.leased_until >= now())
