-- Give a memory, which is locked, the state that it had as version $2; no row where that is not kept. updated_at rises as
-- with every change. The row is null for a state that has expired, and where a tenant that has $3 bytes or
-- more would make a memory larger.
WITH used AS (
    SELECT coalesce(sum(bytes), 0) AS bytes FROM memory_usage
), old AS (
    SELECT id, saved_at, text_bytes(content, source_ref, tags, metadata) AS bytes FROM stored_memories WHERE id = $1
), state AS (
    SELECT state.*, state.expires_at < now_ms() AS expired,
        text_bytes(state.content, state.source_ref, state.tags, state.metadata) AS bytes
    FROM old JOIN changes ON changes.memory_id = old.id AND changes.saved_at = old.saved_at
    CROSS JOIN LATERAL json_to_record(changes.former::json) AS state (
        content text, namespace text, tags text[], source text, source_ref text, metadata json, created_at bigint,
        expires_at bigint)
    WHERE version = $2::integer + 1 AND former IS NOT NULL
), changed AS (
    UPDATE memories AS memory SET
        content = state.content, namespace = state.namespace, tags = state.tags, source = state.source,
        source_ref = state.source_ref, metadata = state.metadata, created_at = state.created_at,
        expires_at = state.expires_at,
        updated_at = greatest(now_ms(), memory.updated_at + 1)
    FROM old, state, used
    WHERE memory.id = old.id AND state.expired IS NOT TRUE AND (state.bytes <= old.bytes OR used.bytes < $3::bigint)
    RETURNING memory.*
), counted AS (
    INSERT INTO memory_usage AS usage (rows, bytes)
    SELECT 0, state.bytes - old.bytes FROM old, state, changed WHERE state.bytes <> old.bytes
    ON CONFLICT (tenant_id, slot) DO UPDATE SET bytes = usage.bytes + excluded.bytes
)
SELECT state.expired IS TRUE AS expired, CASE WHEN changed.id IS NOT NULL THEN show_memory(changed) END AS row,
    CASE WHEN changed.id IS NOT NULL THEN tell('memory.updated', show_memory(changed)::json) END
FROM state LEFT JOIN changed ON true
