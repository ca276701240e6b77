-- One token of the tenant, without its digest.
SELECT id, name, prefix, scopes, namespaces, created_at, expires_at, revoked_at FROM tokens WHERE id = $1
