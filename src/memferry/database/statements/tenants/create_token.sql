-- Create a token: its digest and first characters are stored, never its text. As the owner.
WITH created AS (
    INSERT INTO memferry.tokens (tenant_id, id, name, prefix, sha256, scopes, namespaces, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    RETURNING tenant_id, id, scopes
)
INSERT INTO memferry.audit (tenant_id, event, outcome, subject, detail)
SELECT tenant_id, 'token.created', 'ok', id::text, array_to_string(scopes, ' ') FROM created
