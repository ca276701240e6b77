-- What was sent or waits to be sent to one webhook, newest first.
SELECT row_to_json(delivery)::text FROM (
    SELECT id, event, created_at, attempt,
        floor(extract(epoch FROM next_attempt_at) * 1000)::bigint AS next_attempt_at,
        delivered_at, last_status, last_error
    FROM deliveries WHERE webhook_id = $1
    ORDER BY created_at DESC, id LIMIT $2
) AS delivery
