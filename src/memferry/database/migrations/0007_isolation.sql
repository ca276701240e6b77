-- The views across tenants show less: a forgotten WHERE over them reaches no filters, and no payload in use.
--
-- Filters and last_error hold words of a tenant, such as names of namespaces. A worker of the first version reads
-- them as it claims; only the transaction that has written the row sees them there. Everybody else reads them in
-- the tenant's own view.

CREATE OR REPLACE VIEW memferry_service.export_queue AS
SELECT tenant_id, id, status,
    format || coalesce('+' || compression, '')
        || CASE WHEN namespaces IS NULL THEN '' ELSE ' of namespaces' END AS format,
    CASE WHEN xmin = pg_current_xact_id_if_assigned()::xid THEN filters END AS filters,
    CASE WHEN xmin = pg_current_xact_id_if_assigned()::xid THEN row_count END AS row_count,
    attempt, leased_by, leased_until,
    CASE WHEN xmin = pg_current_xact_id_if_assigned()::xid THEN last_error END AS last_error,
    created_at, failures, object_key, expires_at
FROM memferry.exports;

-- Only what the sweeper may remove.
CREATE OR REPLACE VIEW memferry_service.payload_queue AS
SELECT tenant_id, export_id FROM memferry.export_payloads AS payload
WHERE EXISTS (
    SELECT FROM memferry.exports AS export
    WHERE export.tenant_id = payload.tenant_id AND export.id = payload.export_id
        AND (export.status = 'expired'
            OR (export.status = 'completed' AND export.expires_at <= memferry_service.now_ms())));

CREATE OR REPLACE VIEW memferry_service.idempotency_queue AS
SELECT tenant_id, key, created_at FROM memferry.idempotency_keys
WHERE created_at < memferry_service.now_ms() - 86400000;

REVOKE SELECT ON memferry_service.idempotency_queue FROM memferry_service;
GRANT SELECT (tenant_id, created_at) ON memferry_service.idempotency_queue TO memferry_service;
