-- Move memories into another namespace, and tell the webhooks as in save_memories. updated_at rises even within one
-- millisecond.
WITH moved AS (
    UPDATE memories SET namespace = $2, updated_at = greatest(now_ms(), updated_at + 1)
    WHERE id = ANY ($1::uuid[])
    RETURNING *
), wanting AS (
    SELECT id FROM webhooks
    WHERE enabled AND (events = '{}' OR 'memory.updated' = ANY (events))
    FOR KEY SHARE
), room AS (
    SELECT is_room_for_messages() AS is_left FROM wanting LIMIT 1
), message AS (
    INSERT INTO messages (id, data, bytes)
    SELECT gen_random_uuid(), told.data, octet_length(told.data::text)
    FROM room, (SELECT show_memory(moved)::json AS data FROM moved) AS told WHERE room.is_left
    RETURNING id
), told AS (
    INSERT INTO deliveries (webhook_id, event, message_id)
    SELECT wanting.id, 'memory.updated', message.id FROM message, wanting
    RETURNING id
), dropped AS (
    UPDATE webhooks AS webhook SET dropped = webhook.dropped + (SELECT count(*) FROM moved)
    FROM wanting, room
    WHERE webhook.id = wanting.id AND NOT room.is_left
)
SELECT count(*) AS moved, (SELECT pg_notify('memferry_deliveries', '') FROM told LIMIT 1) FROM moved
