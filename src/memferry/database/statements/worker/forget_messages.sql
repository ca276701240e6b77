-- Remove what no delivery waits for any more, such as what was to be told to a webhook that was deleted.
DELETE FROM message_queue AS message
WHERE NOT EXISTS (
    SELECT FROM delivery_queue AS delivery
    WHERE delivery.tenant_id = message.tenant_id AND delivery.message_id = message.id)
