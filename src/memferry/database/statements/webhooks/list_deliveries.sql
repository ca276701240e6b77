-- The deliveries of one webhook, newest first, after the place ($3, $4).
SELECT delivery.created_at, delivery.id, row_to_json(delivery)::text AS row FROM (
    SELECT id, event, created_at, attempt,
        floor(extract(epoch FROM next_attempt_at) * 1000)::bigint AS next_attempt_at,
        delivered_at, last_status, last_error
    FROM deliveries
    WHERE webhook_id = $1 AND (created_at, id) < ($3::bigint, $4::uuid)
    ORDER BY created_at DESC, id DESC LIMIT $2
) AS delivery
ORDER BY delivery.created_at DESC, delivery.id DESC
