-- Create a webhook unless the tenant has $5 of them already.
WITH created AS (
    INSERT INTO webhooks (url, events, description, secret)
    SELECT $1, $2::text[], $3, $4 WHERE (SELECT count(*) FROM webhooks) < $5
    RETURNING id, url, events, description, enabled, consecutive_failures, last_success_at,
        last_failure_at, created_at, updated_at, dropped
)
SELECT row_to_json(created)::text FROM created
