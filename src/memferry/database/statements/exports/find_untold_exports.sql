-- Completed exports of which no webhook was told, the oldest first: of a process that died.
SELECT tenant_id, id FROM untold_exports ORDER BY id LIMIT $1
