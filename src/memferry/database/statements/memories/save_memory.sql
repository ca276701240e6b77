-- Create one memory, and tell the webhooks in the same transaction. tell() costs planning, so it is not called where
-- there is no webhook. Without an expiry $10 the memory is kept as long as its namespace says. Nothing is created if the tenant has $8 memories or $9 bytes. The lock on the tenant's row makes
-- the deletion of a tenant wait for this transaction; a tenant that is being deleted gets no row.
WITH home AS (
    SELECT erasures FROM tenant FOR KEY SHARE
), used AS (
    SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(bytes), 0) AS bytes FROM memory_usage
), saved AS (
    INSERT INTO memories (id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at,
        expires_at)
    SELECT $1, $2, $3, $4, $5, $6, $7::json, now, now, coalesce($10::bigint, now + retention.ms)
    FROM now_ms() AS now, home, used LEFT JOIN retentions AS retention ON retention.namespace = $3
    WHERE used.rows < $8::bigint AND used.bytes < $9::bigint
    RETURNING *
), counted AS (
    INSERT INTO memory_usage AS usage (rows, bytes)
    SELECT 1, text_bytes(content, source_ref, tags, metadata) FROM saved
    ON CONFLICT (tenant_id, slot) DO UPDATE SET rows = usage.rows + excluded.rows, bytes = usage.bytes + excluded.bytes
)
SELECT CASE WHEN saved.id IS NOT NULL THEN show_memory(saved) END AS row,
    CASE WHEN saved.id IS NOT NULL AND EXISTS (SELECT FROM webhooks) THEN tell('memory.saved', show_memory(saved)::json) END,
    used.rows >= $8 AS too_many, used.bytes >= $9 AS too_large
FROM used LEFT JOIN saved ON true
