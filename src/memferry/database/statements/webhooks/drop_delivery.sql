-- A disabled webhook hears nothing, also not later: what it missed is in the store.
UPDATE deliveries SET next_attempt_at = NULL, message_id = NULL, last_error = 'the webhook is disabled'
WHERE id = $1 AND attempt = $2
