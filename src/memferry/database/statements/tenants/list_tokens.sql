-- All tokens for the operator, newest last. As the owner.
SELECT tokens.id, tenants.name AS tenant, tokens.name, tokens.prefix, tokens.scopes, tokens.namespaces,
    tokens.created_at, tokens.expires_at, tokens.revoked_at
FROM memferry.tokens JOIN memferry.tenants ON tenants.id = tokens.tenant_id
ORDER BY tokens.created_at, tokens.id
