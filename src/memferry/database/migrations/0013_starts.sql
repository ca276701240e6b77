-- What a caller's namespaces are, once per statement and not for each export that is looked at: the start of an export
-- sums up all that the tenant has stored.

CREATE OR REPLACE VIEW memferry_service.exports AS
SELECT id, status, format, filters, row_count, rows_done, bytes_done, sha256, object_key, error,
    last_error, attempt, leased_by, leased_until, created_at, completed_at,
    failures, error_code, retryable, last_error_code, snapshot_at, expires_at,
    compression, file_bytes, file_sha256,
    token_id, namespaces, csv_safe, encrypt_to, purged_at
FROM memferry.exports WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND ((SELECT memferry_service.namespaces()) IS NULL
        OR namespaces <@ (SELECT memferry_service.namespaces())::text[]);
