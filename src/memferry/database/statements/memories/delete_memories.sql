-- Delete memories by their ids, tell the webhooks, and write the audit entries. Rows are locked by id, as by all that lock
-- several.
WITH held AS (
    SELECT id FROM memories WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE
), deleted AS (
    DELETE FROM memories AS memory USING held WHERE memory.id = held.id RETURNING memory.*
), counted AS (
    INSERT INTO memory_usage AS usage (rows, bytes)
    SELECT -count(*), -sum(text_bytes(content, source_ref, tags, metadata)) FROM deleted HAVING count(*) > 0
    ON CONFLICT (tenant_id, slot) DO UPDATE SET rows = usage.rows + excluded.rows, bytes = usage.bytes + excluded.bytes
)
SELECT deleted.id, note('memory.deleted', 'ok', deleted.id::text),
    (SELECT CASE WHEN EXISTS (SELECT FROM webhooks)
        THEN tell('memory.deleted', VARIADIC (SELECT array_agg(show_memory(deleted)::json) FROM deleted)) END)
FROM deleted
