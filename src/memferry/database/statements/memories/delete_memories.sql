-- Delete memories by their ids, tell the webhooks as in save_memories, and write the audit entries. Rows are locked by
-- id, as by all that lock several.
WITH held AS (
    SELECT id FROM memories WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE
), deleted AS (
    DELETE FROM memories AS memory USING held WHERE memory.id = held.id RETURNING memory.*
), counted AS (
    INSERT INTO memory_usage AS usage (rows, bytes)
    SELECT -count(*), -sum(text_bytes(content, source_ref, tags, metadata)) FROM deleted HAVING count(*) > 0
    ON CONFLICT (tenant_id, slot) DO UPDATE SET rows = usage.rows + excluded.rows, bytes = usage.bytes + excluded.bytes
), wanting AS (
    SELECT id FROM webhooks
    WHERE enabled AND (events = '{}' OR 'memory.deleted' = ANY (events))
    FOR KEY SHARE
), room AS (
    SELECT is_room_for_messages() AS is_left FROM wanting LIMIT 1
), message AS (
    INSERT INTO messages (id, data, bytes)
    SELECT gen_random_uuid(), told.data, octet_length(told.data::text)
    FROM room, (SELECT show_memory(deleted)::json AS data FROM deleted) AS told WHERE room.is_left
    RETURNING id
), told AS (
    INSERT INTO deliveries (webhook_id, event, message_id)
    SELECT wanting.id, 'memory.deleted', message.id FROM message, wanting
    RETURNING id
), dropped AS (
    UPDATE webhooks AS webhook SET dropped = webhook.dropped + (SELECT count(*) FROM deleted)
    FROM wanting, room
    WHERE webhook.id = wanting.id AND NOT room.is_left
)
SELECT deleted.id, note('memory.deleted', 'ok', deleted.id::text),
    (SELECT pg_notify('memferry_deliveries', '') FROM told LIMIT 1)
FROM deleted
