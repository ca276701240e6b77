-- Compressed exports: which codec, and what the file is beside what it holds.

ALTER TABLE memferry.exports
    ADD COLUMN compression text,
    ADD COLUMN file_bytes bigint,
    ADD COLUMN file_sha256 bytea CHECK (octet_length(file_sha256) = 32);
-- Until now every file was what it holds.
UPDATE memferry.exports SET file_bytes = bytes_done, file_sha256 = sha256 WHERE object_key IS NOT NULL;

CREATE OR REPLACE VIEW memferry_service.exports AS
SELECT id, status, format, filters, row_count, rows_done, bytes_done, sha256, object_key, error,
    last_error, attempt, leased_by, leased_until, created_at, completed_at,
    failures, error_code, retryable, last_error_code, snapshot_at, expires_at,
    compression, file_bytes, file_sha256
FROM memferry.exports WHERE tenant_id = current_setting('memferry.tenant')::uuid;

-- What a worker must be able to write: one of the version before knows no compression, and claims none of these.
CREATE OR REPLACE VIEW memferry_service.export_queue AS
SELECT tenant_id, id, status, format || coalesce('+' || compression, '') AS format, filters, row_count,
    attempt, leased_by, leased_until, last_error, created_at, failures, object_key, expires_at
FROM memferry.exports;
