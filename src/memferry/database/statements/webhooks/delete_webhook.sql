-- What still waits for it goes with it.
DELETE FROM webhooks WHERE id = $1 RETURNING id::text
