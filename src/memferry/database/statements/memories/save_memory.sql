-- Save one memory and, in the same transaction, note it for the webhooks that want to know. Without a webhook the
-- function, which must be planned, is not called. A tenant with $8 memories or $9 bytes gets no more, but is told so.
-- The tenant's row is held meanwhile, so that a tenant that leaves takes this one along; one that is leaving gets no
-- more.
WITH home AS (
    SELECT erasures FROM tenant FOR KEY SHARE
), used AS (
    SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(bytes), 0) AS bytes FROM memory_usage
), saved AS (
    INSERT INTO memories (id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at)
    SELECT $1, $2, $3, $4, $5, $6, $7::json, now, now FROM now_ms() AS now, home, used
    WHERE used.rows < $8::bigint AND used.bytes < $9::bigint
    RETURNING *
), counted AS (
    INSERT INTO memory_usage AS usage (rows, bytes)
    SELECT 1, text_bytes(content, source_ref, tags, metadata) FROM saved
    ON CONFLICT (tenant_id, slot) DO UPDATE SET rows = usage.rows + excluded.rows, bytes = usage.bytes + excluded.bytes
)
SELECT row_to_json(saved)::text AS row,
    CASE WHEN saved.id IS NOT NULL AND EXISTS (SELECT FROM webhooks) THEN tell('memory.saved', row_to_json(saved)) END,
    used.rows >= $8 AS too_many, used.bytes >= $9 AS too_large
FROM used LEFT JOIN saved ON true
