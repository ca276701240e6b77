-- All tokens for the operator, newest last.
SELECT tokens.id, tenants.name AS tenant, tokens.name, tokens.prefix, tokens.created_at, tokens.revoked_at
FROM memferry.tokens JOIN memferry.tenants ON tenants.id = tokens.tenant_id
ORDER BY tokens.created_at, tokens.id
