-- Lock the webhook of a delivery before the delivery itself, in the order in which the deletion of a webhook locks them.
-- A statement of its own: the next one sees what others changed while this one waited.
SELECT id FROM webhooks WHERE id = (SELECT webhook_id FROM deliveries WHERE id = $1) FOR NO KEY UPDATE
