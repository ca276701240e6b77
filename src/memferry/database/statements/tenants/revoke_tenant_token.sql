-- As revoke_token, for the current tenant. Revoking a token again changes nothing and answers the same.
WITH found AS (
    SELECT id FROM tokens WHERE id = $1
), revoked AS (
    UPDATE tokens SET revoked_at = now_ms() WHERE id = $1 AND revoked_at IS NULL RETURNING id
), unfinished AS (
    SELECT export.id FROM exports AS export JOIN revoked ON export.token_id = revoked.id
    WHERE export.status IN ('pending', 'running')
    ORDER BY export.id FOR UPDATE OF export
), cancelled AS (
    UPDATE exports SET status = 'cancelled', completed_at = now_ms(), leased_by = NULL, leased_until = NULL
    FROM unfinished
    WHERE exports.id = unfinished.id
    RETURNING exports.id
), noted AS (
    INSERT INTO audit (event, outcome, subject, detail)
    SELECT 'token.revoked', 'ok', id::text, NULL FROM revoked
    UNION ALL
    SELECT 'export.cancelled', 'ok', id, 'token revoked' FROM cancelled
)
SELECT id FROM found
