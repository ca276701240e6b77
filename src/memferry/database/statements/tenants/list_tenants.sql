-- All tenants for the operator, newest last. As the owner.
SELECT id, name, created_at, leaving_at,
    (SELECT count(*) FROM memferry.tokens WHERE tokens.tenant_id = tenants.id) AS tokens,
    (SELECT count(*) FROM memferry.jobs WHERE jobs.tenant_id = tenants.id AND jobs.type = 'export') AS exports
FROM memferry.tenants
ORDER BY created_at, id
