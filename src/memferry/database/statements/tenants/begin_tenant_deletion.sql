-- Mark a tenant as leaving, delete its tokens and cancel its unfinished exports: from now on nobody can call for it,
-- nothing is added to it, and no worker publishes anything of it. Running it again changes nothing. As the owner.
WITH leaving AS (
    UPDATE memferry.tenants SET leaving_at = coalesce(leaving_at, memferry_service.now_ms())
    WHERE name = $1
    RETURNING id
), silenced AS (
    DELETE FROM memferry.tokens USING leaving WHERE tokens.tenant_id = leaving.id RETURNING tokens.id
), unfinished AS (
    SELECT export.tenant_id, export.id
    FROM memferry.exports AS export
    -- The tokens first, and exports by id, as when a token is revoked.
    JOIN (SELECT leaving.id FROM leaving, (SELECT count(*) FROM silenced) AS done) AS tenant
        ON export.tenant_id = tenant.id
    WHERE export.status IN ('pending', 'running')
    ORDER BY export.id FOR UPDATE OF export
), ended AS (
    UPDATE memferry.exports
    SET status = 'cancelled', completed_at = memferry_service.now_ms(), leased_by = NULL, leased_until = NULL
    FROM unfinished
    WHERE exports.tenant_id = unfinished.tenant_id AND exports.id = unfinished.id
)
SELECT id FROM leaving
