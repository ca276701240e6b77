-- Keep a token's digest and its first characters, never the token.
INSERT INTO memferry.tokens (tenant_id, id, name, prefix, sha256) VALUES ($1, $2, $3, $4, $5)
