-- Change the fields that are not null; $7 says whether the expiry $8 is changed. updated_at rises even within one
-- millisecond. A tenant that has $6 bytes or more may not make a memory larger; then the row is null.
WITH used AS (
    SELECT coalesce(sum(bytes), 0) AS bytes FROM memory_usage
), old AS (
    SELECT id, text_bytes(content, source_ref, tags, metadata) AS bytes,
        text_bytes(coalesce($2, content), source_ref, coalesce($3::text[], tags), coalesce($5::json, metadata)) AS new_bytes
    FROM memories WHERE id = $1 FOR UPDATE
), changed AS (
    UPDATE memories AS memory SET
        content = coalesce($2, content),
        tags = coalesce($3::text[], tags),
        namespace = coalesce($4, namespace),
        metadata = coalesce($5::json, metadata),
        expires_at = CASE WHEN $7::boolean THEN $8::bigint ELSE expires_at END,
        updated_at = greatest(now_ms(), updated_at + 1)
    FROM old, used
    WHERE memory.id = $1 AND memory.id = old.id AND (old.new_bytes <= old.bytes OR used.bytes < $6::bigint)
    RETURNING memory.*
), counted AS (
    INSERT INTO memory_usage AS usage (rows, bytes)
    SELECT 0, old.new_bytes - old.bytes FROM old, changed WHERE old.new_bytes <> old.bytes
    ON CONFLICT (tenant_id, slot) DO UPDATE SET bytes = usage.bytes + excluded.bytes
)
SELECT CASE WHEN changed.id IS NOT NULL THEN show_memory(changed) END AS row,
    CASE WHEN changed.id IS NOT NULL THEN tell('memory.updated', show_memory(changed)::json) END
FROM old LEFT JOIN changed ON true
