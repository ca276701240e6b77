-- The tokens of the tenant, newest first, without their digests.
SELECT id, name, prefix, scopes, namespaces, created_at, expires_at, revoked_at
FROM tokens ORDER BY created_at DESC, id DESC LIMIT $1
