-- Who holds the token with this digest; a revoked one belongs to nobody.
SELECT tenant_id, id, sha256 FROM token_holders WHERE sha256 = $1 AND revoked_at IS NULL
