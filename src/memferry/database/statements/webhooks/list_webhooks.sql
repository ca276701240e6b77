-- All webhooks of the tenant, oldest first, without their secrets.
SELECT row_to_json(webhook)::text
FROM (SELECT id, url, events, description, enabled, consecutive_failures, last_success_at,
        last_failure_at, created_at, updated_at, dropped FROM webhooks) AS webhook
ORDER BY created_at, id
