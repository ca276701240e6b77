-- Create many memories in one round trip; unnest keeps their order. A row keeps the times that it brings; the expiry as
-- in save_memory. No row is created if the tenant would have more than $10 memories, or has $11 bytes or more. The
-- tenant's row is locked as in save_memory.
WITH home AS (
    SELECT erasures FROM tenant FOR KEY SHARE
), used AS (
    SELECT coalesce(sum(rows), 0) + cardinality($1::uuid[]) AS rows, coalesce(sum(bytes), 0) AS bytes FROM memory_usage
), saved AS (
    INSERT INTO memories (id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at,
        expires_at)
    SELECT item.id, item.content, item.namespace, item.tags::text[], item.source, item.source_ref,
        item.metadata::json, coalesce(item.created_at, now),
        coalesce(item.updated_at, item.created_at, now), coalesce(item.expires_at, now + retention.ms)
    FROM home, used, now_ms() AS now, unnest(
        $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::bigint[], $9::bigint[], $12::bigint[]
    ) AS item (
        id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at, expires_at)
    LEFT JOIN retentions AS retention ON retention.namespace = item.namespace
    WHERE used.rows <= $10::bigint AND used.bytes < $11::bigint
    RETURNING *
), counted AS (
    INSERT INTO memory_usage AS usage (rows, bytes)
    SELECT count(*), sum(text_bytes(content, source_ref, tags, metadata)) FROM saved HAVING count(*) > 0
    ON CONFLICT (tenant_id, slot) DO UPDATE SET rows = usage.rows + excluded.rows, bytes = usage.bytes + excluded.bytes
)
SELECT (SELECT count(*) FROM saved) AS saved,
    CASE WHEN EXISTS (SELECT FROM saved) AND EXISTS (SELECT FROM webhooks)
        THEN tell('memory.saved', VARIADIC (SELECT array_agg(show_memory(saved)::json) FROM saved)) END,
    used.rows > $10 AS too_many, used.bytes >= $11 AS too_large
FROM used
