-- Exports that only the holder of a key can read: the public key they are encrypted to.
--
-- A worker of the version before goes on working: it claims none of these.

ALTER TABLE memferry.exports
    ADD COLUMN encrypt_to text,
    -- A payload would lie in the database as it is.
    ADD CONSTRAINT encrypted_is_a_file CHECK (
        encrypt_to IS NULL OR status <> 'completed' OR object_key IS NOT NULL);

CREATE OR REPLACE VIEW memferry_service.exports AS
SELECT id, status, format, filters, row_count, rows_done, bytes_done, sha256, object_key, error,
    last_error, attempt, leased_by, leased_until, created_at, completed_at,
    failures, error_code, retryable, last_error_code, snapshot_at, expires_at,
    compression, file_bytes, file_sha256,
    token_id, namespaces, csv_safe, encrypt_to
FROM memferry.exports WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND (memferry_service.namespaces() IS NULL OR namespaces <@ memferry_service.namespaces());

-- What a worker must be able to write: format, guard, compression and encryption, as ExportRequest.kind spells them.
-- Words of the tenant are shown to nobody here but the transaction that writes them, as migration 0007 says.
CREATE OR REPLACE VIEW memferry_service.export_queue AS
SELECT tenant_id, id, status,
    format || CASE WHEN csv_safe THEN '+safe' ELSE '' END || coalesce('+' || compression, '')
        || CASE WHEN encrypt_to IS NULL THEN '' ELSE '+age' END
        || CASE WHEN namespaces IS NULL THEN '' ELSE ' of namespaces' END AS format,
    CASE WHEN xmin = pg_current_xact_id_if_assigned()::xid THEN filters END AS filters,
    CASE WHEN xmin = pg_current_xact_id_if_assigned()::xid THEN row_count END AS row_count,
    attempt, leased_by, leased_until,
    CASE WHEN xmin = pg_current_xact_id_if_assigned()::xid THEN last_error END AS last_error,
    created_at, failures, object_key, expires_at
FROM memferry.exports;
