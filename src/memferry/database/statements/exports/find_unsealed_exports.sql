-- Completed exports without a manifest, the oldest first: of a program that makes none, or of a process that died.
SELECT tenant_id, id FROM unsealed_exports ORDER BY id LIMIT $1
