-- The memories that have expired, up to $1 of each of $2 tenants, those that expired first. No index holds them across
-- tenants: one look into the index of each tenant costs less than an entry more per memory.
SELECT tenant.id AS tenant_id, due.ids
FROM tenant_ids AS tenant
CROSS JOIN LATERAL (
    SELECT array_agg(id) AS ids
    FROM (
        SELECT memory.id FROM expiry_queue AS memory
        WHERE memory.tenant_id = tenant.id
        ORDER BY memory.expires_at LIMIT $1
    ) AS first
) AS due
WHERE due.ids IS NOT NULL
LIMIT $2
