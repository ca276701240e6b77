-- Save one memory and, in the same transaction, note it for the webhooks that want to know. Without a webhook the
-- function, which must be planned, is not called.
-- The tenant's row is held meanwhile, so that a tenant that leaves takes this one along; one that is leaving gets no
-- more.
WITH home AS (
    SELECT erasures FROM tenant FOR KEY SHARE
), saved AS (
    INSERT INTO memories (id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at)
    SELECT $1, $2, $3, $4, $5, $6, $7::json, now, now FROM now_ms() AS now, home
    RETURNING *
)
SELECT row_to_json(saved)::text, CASE WHEN EXISTS (SELECT FROM webhooks)
    THEN tell('memory.saved', row_to_json(saved)) END
FROM saved
