-- Create a token of the current tenant; the view refuses one that reaches beyond the caller's namespaces.
WITH created AS (
    INSERT INTO tokens (id, name, prefix, sha256, scopes, namespaces, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    RETURNING id, name, prefix, scopes, namespaces, created_at, expires_at, revoked_at
), noted AS (
    INSERT INTO audit (event, outcome, subject, detail)
    SELECT 'token.created', 'ok', id::text, array_to_string(scopes, ' ') FROM created
)
SELECT id, name, prefix, scopes, namespaces, created_at, expires_at, revoked_at FROM created
