-- A delivery with its message and webhook, if this attempt is still the latest.
SELECT deliveries.id, deliveries.event, deliveries.created_at, messages.id AS message_id, messages.data::text AS data,
    webhooks.url, webhooks.secret, webhooks.enabled
FROM deliveries JOIN webhooks ON webhooks.id = deliveries.webhook_id
    JOIN messages ON messages.id = deliveries.message_id
WHERE deliveries.id = $1 AND deliveries.attempt = $2
