-- Delete a message that no delivery needs any more.
DELETE FROM messages WHERE id = $1 AND NOT EXISTS (SELECT FROM deliveries WHERE deliveries.message_id = messages.id)
