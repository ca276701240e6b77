-- The tokens of the tenant after the place ($2, $3), newest first, without their digests.
SELECT id, name, prefix, scopes, namespaces, created_at, expires_at, revoked_at
FROM tokens
WHERE (created_at, id) < ($2::bigint, $3::uuid)
ORDER BY created_at DESC, id DESC LIMIT $1
