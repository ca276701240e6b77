-- The newest completed export of one of the formats $1 that can be read here; of all tenants or of the one named $2, or
-- the one with the id $3 whatever it is. As the owner.
SELECT tenants.id AS tenant_id, tenants.name AS tenant, jobs.id AS export_id
FROM memferry.jobs
JOIN memferry.tenants ON tenants.id = jobs.tenant_id
WHERE jobs.type = 'export' AND jobs.status = 'completed' AND jobs.expires_at > memferry.now_ms()
    AND tenants.leaving_at IS NULL
    AND ($2::text IS NULL OR tenants.name = $2)
    AND CASE WHEN $3::text IS NULL
        THEN coalesce(jobs.request ->> 'format', 'json') = ANY ($1::text[])
            AND jobs.request ->> 'encrypt_to' IS NULL AND jobs.request ->> 'fields' IS NULL
        ELSE jobs.id = $3
    END
ORDER BY jobs.completed_at DESC, jobs.id DESC
LIMIT 1
