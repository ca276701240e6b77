-- The token of a sign-in with this digest, as find_token answers it; no row once either is not good any more.
SELECT token.tenant_id, token.id, token.scopes, token.limited, sign_in.sha256
FROM sign_in_grants AS sign_in
JOIN token_grants AS token ON token.tenant_id = sign_in.tenant_id AND token.id = sign_in.token_id
WHERE sign_in.sha256 = $1 AND sign_in.is_link = $2 AND sign_in.expires_at > now_ms()
    AND token.revoked_at IS NULL AND (token.expires_at IS NULL OR token.expires_at > now_ms())
