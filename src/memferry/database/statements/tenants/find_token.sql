-- The tenant and the grant of the token with this digest; no row for a revoked or expired token.
SELECT tenant_id, id, sha256, scopes, limited FROM token_grants
WHERE sha256 = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now_ms())
