-- From now on nobody speaks for the tenant, nothing is added to it, and no worker publishes anything of it: its
-- tokens are gone, and its unfinished exports are ended. Again after a kill: the same. As the owner.
WITH leaving AS (
    UPDATE memferry.tenants SET leaving_at = coalesce(leaving_at, memferry_service.now_ms())
    WHERE name = $1
    RETURNING id
), ended AS (
    UPDATE memferry.exports
    SET status = 'cancelled', completed_at = memferry_service.now_ms(), leased_by = NULL, leased_until = NULL
    FROM leaving
    WHERE exports.tenant_id = leaving.id AND exports.status IN ('pending', 'running')
), silenced AS (
    DELETE FROM memferry.tokens USING leaving WHERE tokens.tenant_id = leaving.id
)
SELECT id FROM leaving
