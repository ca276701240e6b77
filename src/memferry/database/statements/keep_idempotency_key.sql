-- Bind a key to the export made in this transaction; one that was bound over 24 hours ago is bound anew.
INSERT INTO idempotency_keys (key, request_sha256, export_id) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id, key) DO UPDATE
SET request_sha256 = excluded.request_sha256, export_id = excluded.export_id, created_at = now_ms()
