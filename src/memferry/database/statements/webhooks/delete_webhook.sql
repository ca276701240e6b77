-- Delete a webhook; its deliveries are deleted by the foreign key.
DELETE FROM webhooks WHERE id = $1 RETURNING id::text
