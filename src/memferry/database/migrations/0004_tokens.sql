-- What a token may do: scopes, an expiry, a limit to namespaces; and the views that keep to the limit.
--
-- The limit is a setting of the transaction beside the tenant. Where it is set, the views show memories of these
-- namespaces only, and exports made under the same limit or a part of it; where it is not, everything of the tenant.
-- The tenant stays required: a session that has set none gets an error.
--
-- A process of the version before goes on working on this schema: every new column has a default or may be NULL. It
-- knows no limits, so its API is shown no limited token, and its worker is offered no limited export.

-- A text[] in hexadecimal: SET LOCAL takes no parameters, and so no name needs quoting. NULL: no limit.
CREATE FUNCTION memferry_service.namespaces() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN convert_from(decode(nullif(current_setting('memferry.namespaces', true), ''), 'hex'), 'UTF8')::text[];

-- The token a request came with; NULL for a worker.
CREATE FUNCTION memferry_service.caller() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('memferry.caller', true), '')::uuid;

-- Tokens from before go on doing what they did; `admin` is what nobody had.
ALTER TABLE memferry.tokens
    ADD COLUMN scopes text[] NOT NULL
        DEFAULT '{memories:read,memories:write,exports:read,exports:create}'
        CONSTRAINT scopes_are_known CHECK (
            scopes <> '{}'
            AND scopes <@ '{memories:read,memories:write,exports:read,exports:create,admin}'),
    ADD COLUMN namespaces text[]
        CONSTRAINT namespaces_are_named CHECK (
            namespaces <> '{}' AND array_position(namespaces, NULL) IS NULL),
    ADD COLUMN expires_at bigint;

ALTER TABLE memferry.exports
    ADD COLUMN token_id uuid,
    ADD COLUMN namespaces text[],
    ALTER COLUMN token_id SET DEFAULT memferry_service.caller(),
    ALTER COLUMN namespaces SET DEFAULT memferry_service.namespaces();

-- Without the digests: a session can look one up below, and store one, but read none.
CREATE VIEW memferry_service.tokens AS
SELECT id, name, prefix, sha256, scopes, namespaces, created_at, expires_at, revoked_at
FROM memferry.tokens WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND (memferry_service.namespaces() IS NULL OR namespaces <@ memferry_service.namespaces())
WITH CASCADED CHECK OPTION;

ALTER TABLE memferry.tokens ALTER COLUMN tenant_id SET DEFAULT current_setting('memferry.tenant')::uuid;

-- Across tenants: who holds a token, and what it may do. The names of its namespaces are words of a tenant.
CREATE VIEW memferry_service.token_grants AS
SELECT sha256, tenant_id, id, scopes, namespaces IS NOT NULL AS limited, expires_at, revoked_at
FROM memferry.tokens;
-- The version before asks here, and would let every token do everything.
CREATE OR REPLACE VIEW memferry_service.token_holders AS
SELECT sha256, tenant_id, id, revoked_at FROM memferry.tokens
WHERE namespaces IS NULL AND (expires_at IS NULL OR expires_at > memferry_service.now_ms())
    AND scopes @> '{memories:read,memories:write,exports:read,exports:create}';

-- With the namespace in it, the index alone still tells where a range of an export ends.
DROP INDEX memferry.memories_by_time;
CREATE INDEX memories_by_time ON memferry.memories (tenant_id, created_at, id) INCLUDE (namespace);

-- The subqueries run once per statement, not once per row. The first is null or true, so that the planner takes it
-- for true: without a limit its estimates, and with them its plans, stay what they were.
CREATE OR REPLACE VIEW memferry_service.memories AS
SELECT id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at
FROM memferry.memories WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND ((SELECT CASE WHEN memferry_service.namespaces() IS NULL THEN true END) IS NOT NULL
        OR namespace = ANY ((SELECT memferry_service.namespaces())::text[]))
WITH CASCADED CHECK OPTION;

CREATE OR REPLACE VIEW memferry_service.exports AS
SELECT id, status, format, filters, row_count, rows_done, bytes_done, sha256, object_key, error,
    last_error, attempt, leased_by, leased_until, created_at, completed_at,
    failures, error_code, retryable, last_error_code, snapshot_at, expires_at,
    compression, file_bytes, file_sha256,
    token_id, namespaces
FROM memferry.exports WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND (memferry_service.namespaces() IS NULL OR namespaces <@ memferry_service.namespaces());

CREATE OR REPLACE VIEW memferry_service.export_payloads AS
SELECT export_id, payload
FROM memferry.export_payloads WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND (memferry_service.namespaces() IS NULL OR EXISTS (
        SELECT FROM memferry_service.exports WHERE exports.id = export_payloads.export_id));

-- What waits to be told holds memories of every namespace.
CREATE OR REPLACE VIEW memferry_service.deliveries AS
SELECT id, webhook_id, event, data, created_at, attempt, next_attempt_at, delivered_at, last_status,
    last_error
FROM memferry.deliveries WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND memferry_service.namespaces() IS NULL;

-- To a worker of the version before, which would write rows beyond the limit, the format of an export that has one
-- is unknown; it claims only what it can write.
-- Words of the tenant are shown to nobody here but the transaction that writes them, as migration 0007 says.
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

GRANT SELECT (id, name, prefix, scopes, namespaces, created_at, expires_at, revoked_at),
    INSERT (id, name, prefix, sha256, scopes, namespaces, expires_at), UPDATE (revoked_at)
    ON memferry_service.tokens TO memferry_service;
GRANT SELECT ON memferry_service.token_grants TO memferry_service;
