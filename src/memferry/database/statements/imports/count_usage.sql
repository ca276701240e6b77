-- Add rows and bytes to what the tenant uses; the last statement of its transaction, since others wait for the row.
INSERT INTO memory_usage AS usage (rows, bytes) SELECT $1::bigint, $2::bigint
ON CONFLICT (tenant_id, slot) DO UPDATE SET rows = usage.rows + excluded.rows, bytes = usage.bytes + excluded.bytes
