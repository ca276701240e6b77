-- Remove a message that no delivery waits for any more.
DELETE FROM messages WHERE id = $1 AND NOT EXISTS (SELECT FROM deliveries WHERE deliveries.message_id = messages.id)
