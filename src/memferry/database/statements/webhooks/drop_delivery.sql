-- End a delivery of a disabled webhook for good: the webhook gets nothing, also not after it is enabled again.
UPDATE deliveries SET next_attempt_at = NULL, message_id = NULL, last_error = 'the webhook is disabled'
WHERE id = $1 AND attempt = $2
