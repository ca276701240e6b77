-- Remove a finished export with its payload and its idempotency keys.
DELETE FROM exports
WHERE id = $1 AND status NOT IN ('pending', 'running')
RETURNING id
