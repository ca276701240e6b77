-- Change the fields that are not null. A description may be set to null, so $5 says whether it is in the request.
WITH changed AS (
    UPDATE webhooks SET
        url = coalesce($2, url),
        events = coalesce($3::text[], events),
        enabled = coalesce($4, enabled),
        description = CASE WHEN $5 THEN $6 ELSE description END,
        consecutive_failures = CASE WHEN $4 THEN 0 ELSE consecutive_failures END,
        updated_at = greatest(now_ms(), updated_at + 1)
    WHERE id = $1
    RETURNING id, url, events, description, enabled, consecutive_failures, last_success_at,
        last_failure_at, created_at, updated_at, dropped
)
SELECT row_to_json(changed)::text FROM changed
