-- Revoke a token: each request looks its token up, so the next one is refused. The token's unfinished exports are
-- cancelled; one that is being queued at this moment ends when a worker reads it (get_job). Several exports are locked
-- in the order of their ids, as everywhere. As the owner.
WITH revoked AS (
    UPDATE memferry.tokens SET revoked_at = memferry_service.now_ms()
    WHERE (id = $1 OR sha256 = $2) AND revoked_at IS NULL
    RETURNING tenant_id, id
), unfinished AS (
    SELECT export.tenant_id, export.id
    FROM memferry.exports AS export
    JOIN revoked ON export.tenant_id = revoked.tenant_id AND export.token_id = revoked.id
    WHERE export.status IN ('pending', 'running')
    ORDER BY export.id FOR UPDATE OF export
), cancelled AS (
    UPDATE memferry.exports SET status = 'cancelled', completed_at = memferry_service.now_ms(),
        leased_by = NULL, leased_until = NULL
    FROM unfinished
    WHERE exports.tenant_id = unfinished.tenant_id AND exports.id = unfinished.id
    RETURNING exports.tenant_id, exports.id
), noted AS (
    INSERT INTO memferry.audit (tenant_id, event, outcome, subject, detail)
    SELECT tenant_id, 'token.revoked', 'ok', id::text, NULL FROM revoked
    UNION ALL
    SELECT tenant_id, 'export.cancelled', 'ok', id, 'token revoked' FROM cancelled
)
SELECT id FROM revoked
