-- The whole life of an export: cancelled and expired, failures counted apart from attempts, a snapshot time,
-- an expiry time, idempotency keys; and the views across tenants that the sweeper needs.
--
-- A worker of the version before goes on working on this schema: every new column has a default or may be NULL.

ALTER TABLE memferry.exports
    -- Attempts that count against the export; one that ended with an orderly stop does not.
    ADD COLUMN failures integer NOT NULL DEFAULT 0,
    ADD COLUMN error_code text,
    ADD COLUMN retryable boolean,
    ADD COLUMN last_error_code text,
    ADD COLUMN snapshot_at bigint,
    ADD COLUMN expires_at bigint,
    DROP CONSTRAINT exports_status_check,
    DROP CONSTRAINT finished_has_time,
    ADD CONSTRAINT exports_status_check CHECK (
        status IN ('pending', 'running', 'completed', 'failed', 'cancelled', 'expired')),
    ADD CONSTRAINT finished_has_time CHECK (
        (status IN ('pending', 'running')) = (completed_at IS NULL));
UPDATE memferry.exports SET failures = attempt WHERE status = 'running';
-- What is there already lives its full time from now on.
UPDATE memferry.exports SET expires_at = memferry_service.now_ms() + 7 * 86400000::bigint
WHERE status = 'completed';
CREATE INDEX exports_expiring ON memferry.exports (expires_at) WHERE status = 'completed';
-- Made in the transaction that makes the export: a key whose request died never was.
CREATE TABLE memferry.idempotency_keys (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    key text NOT NULL,
    request_sha256 bytea NOT NULL CHECK (octet_length(request_sha256) = 32),
    export_id text NOT NULL,
    created_at bigint NOT NULL DEFAULT memferry_service.now_ms(),
    PRIMARY KEY (tenant_id, key),
    FOREIGN KEY (tenant_id, export_id) REFERENCES memferry.exports (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX idempotency_keys_by_export ON memferry.idempotency_keys (tenant_id, export_id);
CREATE INDEX idempotency_keys_by_time ON memferry.idempotency_keys (created_at);
CREATE INDEX deliveries_by_time ON memferry.deliveries (created_at);

CREATE VIEW memferry_service.idempotency_keys AS
SELECT key, request_sha256, export_id, created_at
FROM memferry.idempotency_keys WHERE tenant_id = current_setting('memferry.tenant')::uuid;

CREATE OR REPLACE VIEW memferry_service.exports AS
SELECT id, status, format, filters, row_count, rows_done, bytes_done, sha256, object_key, error,
    last_error, attempt, leased_by, leased_until, created_at, completed_at,
    failures, error_code, retryable, last_error_code, snapshot_at, expires_at
FROM memferry.exports WHERE tenant_id = current_setting('memferry.tenant')::uuid;

-- Across tenants, without content.
CREATE OR REPLACE VIEW memferry_service.export_queue AS
SELECT tenant_id, id, status, format, filters, row_count, attempt, leased_by, leased_until,
    last_error, created_at, failures, object_key, expires_at
FROM memferry.exports;

CREATE VIEW memferry_service.payload_queue AS
SELECT tenant_id, export_id FROM memferry.export_payloads;

CREATE VIEW memferry_service.idempotency_queue AS
SELECT tenant_id, key, created_at FROM memferry.idempotency_keys;

CREATE OR REPLACE VIEW memferry_service.delivery_queue AS
SELECT tenant_id, id, webhook_id, attempt, next_attempt_at, created_at FROM memferry.deliveries;

CREATE VIEW memferry_service.tenant_ids AS SELECT id FROM memferry.tenants;

GRANT SELECT, INSERT, UPDATE, DELETE ON memferry_service.idempotency_keys TO memferry_service;
GRANT SELECT, DELETE ON
    memferry_service.payload_queue, memferry_service.idempotency_queue
    TO memferry_service;
GRANT DELETE ON memferry_service.delivery_queue TO memferry_service;
GRANT SELECT ON memferry_service.tenant_ids TO memferry_service;
