-- Who holds the token with this digest; one that was revoked or has expired belongs to nobody.
SELECT tenant_id, id, sha256, scopes, limited FROM token_grants
WHERE sha256 = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now_ms())
