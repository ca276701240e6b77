-- Delete one memory, tell the webhooks, and write the audit entry.
WITH deleted AS (
    DELETE FROM memories WHERE id = $1 RETURNING *
), counted AS (
    INSERT INTO memory_usage AS usage (rows, bytes)
    SELECT -1, -text_bytes(content, source_ref, tags, metadata) FROM deleted
    ON CONFLICT (tenant_id, slot) DO UPDATE SET rows = usage.rows + excluded.rows, bytes = usage.bytes + excluded.bytes
)
SELECT row_to_json(deleted)::text, tell('memory.deleted', row_to_json(deleted)),
    note('memory.deleted', 'ok', id::text)
FROM deleted
