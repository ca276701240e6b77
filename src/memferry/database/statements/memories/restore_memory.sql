-- Give a memory, which is locked, the state that it had as version $2; no row where that is not kept. updated_at rises as
-- with every change. A tenant that has $3 bytes or more may not make a memory larger; then the row is null.
WITH used AS (
    SELECT coalesce(sum(bytes), 0) AS bytes FROM memory_usage
), old AS (
    SELECT id, text_bytes(content, source_ref, tags, metadata) AS bytes FROM memories WHERE id = $1
), state AS (
    SELECT state.*, text_bytes(state.content, state.source_ref, state.tags, state.metadata) AS bytes
    FROM changes CROSS JOIN LATERAL json_to_record(changes.former::json) AS state (
        content text, namespace text, tags text[], source text, source_ref text, metadata json, created_at bigint)
    WHERE memory_id = $1 AND version = $2::integer + 1 AND former IS NOT NULL
), changed AS (
    UPDATE memories AS memory SET
        content = state.content, namespace = state.namespace, tags = state.tags, source = state.source,
        source_ref = state.source_ref, metadata = state.metadata, created_at = state.created_at,
        updated_at = greatest(now_ms(), memory.updated_at + 1)
    FROM old, state, used
    WHERE memory.id = old.id AND (state.bytes <= old.bytes OR used.bytes < $3::bigint)
    RETURNING memory.*
), counted AS (
    INSERT INTO memory_usage AS usage (rows, bytes)
    SELECT 0, state.bytes - old.bytes FROM old, state, changed WHERE state.bytes <> old.bytes
    ON CONFLICT (tenant_id, slot) DO UPDATE SET bytes = usage.bytes + excluded.bytes
)
SELECT row_to_json(changed)::text AS row,
    CASE WHEN changed.id IS NOT NULL THEN tell('memory.updated', row_to_json(changed)) END
FROM state LEFT JOIN changed ON true
