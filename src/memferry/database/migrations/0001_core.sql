-- Tenants, tokens, memories, exports, webhooks: the tables, and the views that are all the service role may touch.
--
-- Isolation: the service role has no right on schema memferry. It sees schema memferry_service, whose views
-- carry the tenant predicate and run with the owner's rights. The views are no security barriers on purpose:
-- `tags @>` and `metadata @>` are not leakproof, and behind a barrier their GIN indexes would go unused
-- (https://www.postgresql.org/docs/current/rules-privileges.html). The role runs only our own statements.
-- A session that has set no tenant gets an error, never another tenant's rows.

CREATE SCHEMA memferry;
CREATE SCHEMA memferry_service;

CREATE FUNCTION memferry_service.now_ms() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint;

-- Content whose distinct words exceed PostgreSQL's limit of 1 MB for a tsvector is searched by its beginning.
CREATE FUNCTION memferry_service.words_of_long_text(content text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    RETURN to_tsvector('pg_catalog.simple', content);
EXCEPTION WHEN program_limit_exceeded THEN
    RETURN to_tsvector('pg_catalog.simple', left(content, 150000));
END
$$;

-- ASCII punctuation separates words, so that "node" finds "Node.js" and "4" finds "GPT-4": the parser alone
-- would keep host names, paths and signed numbers together.
CREATE FUNCTION memferry_service.words(content text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT
RETURN CASE
    WHEN octet_length(content) <= 200000 THEN to_tsvector(
        'pg_catalog.simple',
        translate(content, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                '))
    ELSE memferry_service.words_of_long_text(
        translate(content, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                '))
END;

-- Any of the words of a text; NULL when it has none.
CREATE FUNCTION memferry_service.any_word(content text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT
RETURN (
    SELECT string_agg(
        '''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery
    FROM unnest(memferry_service.words(content))
);

CREATE TABLE memferry.tenants (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    created_at bigint NOT NULL DEFAULT memferry_service.now_ms()
);

CREATE TABLE memferry.tokens (
    tenant_id uuid NOT NULL REFERENCES memferry.tenants (id),
    id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    sha256 bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    created_at bigint NOT NULL DEFAULT memferry_service.now_ms(),
    revoked_at bigint,
    PRIMARY KEY (tenant_id, id)
);

-- Keys that every process shares, such as the one that seals download links.
CREATE TABLE memferry.keys (
    name text PRIMARY KEY,
    value bytea NOT NULL CHECK (octet_length(value) >= 32)
);

CREATE TABLE memferry.memories (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    id uuid NOT NULL,
    content text NOT NULL CHECK (content <> ''),
    namespace text NOT NULL CHECK (namespace <> ''),
    tags text[] NOT NULL,
    source text NOT NULL,
    source_ref text,
    metadata jsonb CHECK (jsonb_typeof(metadata) = 'object'),
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX memories_by_time ON memferry.memories (tenant_id, created_at, id);
CREATE INDEX memories_by_namespace ON memferry.memories (tenant_id, namespace, created_at, id);
CREATE INDEX memories_by_tags ON memferry.memories USING gin (tags);
CREATE INDEX memories_by_metadata ON memferry.memories USING gin (metadata jsonb_path_ops);
CREATE INDEX memories_by_words ON memferry.memories USING gin (memferry_service.words(content));
-- A hash index takes references of any length; a B-tree entry ends at 2,704 bytes.
CREATE INDEX memories_by_source_ref ON memferry.memories USING hash (source_ref);

-- The row is the job: request, state, lease, progress and result in one place.
CREATE TABLE memferry.exports (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid
        REFERENCES memferry.tenants (id),
    id text NOT NULL CHECK (id ~ '^[0-9A-HJKMNP-TV-Z]{26}$'),
    status text NOT NULL CHECK (status IN ('pending', 'running', 'completed', 'failed')),
    format text NOT NULL,
    filters json NOT NULL,
    row_count bigint NOT NULL CHECK (row_count >= 0),
    rows_done bigint NOT NULL DEFAULT 0,
    bytes_done bigint NOT NULL DEFAULT 0,
    sha256 bytea CHECK (octet_length(sha256) = 32),
    object_key text,
    error text,
    last_error text,
    attempt integer NOT NULL DEFAULT 0,
    leased_by text,
    leased_until timestamptz,
    -- When the request came: the start of its transaction.
    created_at bigint NOT NULL DEFAULT floor(extract(epoch FROM now()) * 1000)::bigint,
    completed_at bigint,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT finished_has_time CHECK (
        (status IN ('completed', 'failed')) = (completed_at IS NOT NULL)),
    CONSTRAINT completed_has_digest CHECK (status <> 'completed' OR sha256 IS NOT NULL),
    CONSTRAINT failed_has_error CHECK ((status = 'failed') = (error IS NOT NULL)),
    CONSTRAINT running_has_lease CHECK (
        (status = 'running') = (leased_by IS NOT NULL AND leased_until IS NOT NULL)),
    CONSTRAINT object_is_published CHECK (object_key IS NULL OR status = 'completed')
);
CREATE INDEX exports_by_time ON memferry.exports (tenant_id, created_at DESC, id DESC);
CREATE INDEX exports_unfinished ON memferry.exports (created_at, id)
    WHERE status IN ('pending', 'running');

CREATE TABLE memferry.export_payloads (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    export_id text NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (tenant_id, export_id),
    FOREIGN KEY (tenant_id, export_id) REFERENCES memferry.exports (tenant_id, id) ON DELETE CASCADE
);
-- Compressing a payload on its way in costs more than the copy that made it.
ALTER TABLE memferry.export_payloads ALTER COLUMN payload SET STORAGE EXTERNAL;

CREATE TABLE memferry.webhooks (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid
        REFERENCES memferry.tenants (id),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    url text NOT NULL,
    events text[] NOT NULL,
    description text,
    enabled boolean NOT NULL DEFAULT true,
    secret text NOT NULL,
    consecutive_failures integer NOT NULL DEFAULT 0,
    last_success_at bigint,
    last_failure_at bigint,
    created_at bigint NOT NULL DEFAULT memferry_service.now_ms(),
    updated_at bigint NOT NULL DEFAULT memferry_service.now_ms(),
    PRIMARY KEY (tenant_id, id)
);

-- Written in the transaction that changes the memory or the export; sent by a worker later.
CREATE TABLE memferry.deliveries (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    webhook_id uuid NOT NULL,
    event text NOT NULL,
    data json NOT NULL,
    created_at bigint NOT NULL DEFAULT memferry_service.now_ms(),
    attempt integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz DEFAULT now(),
    delivered_at bigint,
    last_status integer,
    last_error text,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, webhook_id) REFERENCES memferry.webhooks (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX deliveries_due ON memferry.deliveries (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX deliveries_by_webhook ON memferry.deliveries (tenant_id, webhook_id);

-- One tenant's views. A missing tenant_id is filled by the table's default.
CREATE VIEW memferry_service.memories AS
SELECT id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at
FROM memferry.memories WHERE tenant_id = current_setting('memferry.tenant')::uuid;

CREATE VIEW memferry_service.exports AS
SELECT id, status, format, filters, row_count, rows_done, bytes_done, sha256, object_key, error,
    last_error, attempt, leased_by, leased_until, created_at, completed_at
FROM memferry.exports WHERE tenant_id = current_setting('memferry.tenant')::uuid;

CREATE VIEW memferry_service.export_payloads AS
SELECT export_id, payload
FROM memferry.export_payloads WHERE tenant_id = current_setting('memferry.tenant')::uuid;

CREATE VIEW memferry_service.webhooks AS
SELECT id, url, events, description, enabled, secret, consecutive_failures, last_success_at,
    last_failure_at, created_at, updated_at
FROM memferry.webhooks WHERE tenant_id = current_setting('memferry.tenant')::uuid;

CREATE VIEW memferry_service.deliveries AS
SELECT id, webhook_id, event, data, created_at, attempt, next_attempt_at, delivered_at, last_status,
    last_error
FROM memferry.deliveries WHERE tenant_id = current_setting('memferry.tenant')::uuid;

-- Across tenants, and therefore without any content: who holds a token, what waits to be done.
CREATE VIEW memferry_service.token_holders AS
SELECT sha256, tenant_id, id, revoked_at FROM memferry.tokens;

CREATE VIEW memferry_service.export_queue AS
SELECT tenant_id, id, status, format, filters, row_count, attempt, leased_by, leased_until,
    last_error, created_at
FROM memferry.exports;

CREATE VIEW memferry_service.delivery_queue AS
SELECT tenant_id, id, webhook_id, attempt, next_attempt_at FROM memferry.deliveries;

CREATE VIEW memferry_service.keys AS SELECT name, value FROM memferry.keys;

-- Note an event for the tenant's webhooks that want it, in the caller's transaction.
CREATE FUNCTION memferry_service.tell(event text, data json) RETURNS void LANGUAGE sql VOLATILE
BEGIN ATOMIC
    WITH told AS (
        INSERT INTO memferry_service.deliveries (webhook_id, event, data)
        SELECT webhooks.id, tell.event, tell.data
        FROM memferry_service.webhooks
        WHERE webhooks.enabled AND (webhooks.events = '{}' OR tell.event = ANY (webhooks.events))
        RETURNING id
    )
    SELECT pg_notify('memferry_deliveries', '') FROM told LIMIT 1;
END;

-- Roles belong to the whole cluster; another database of it may have made this one already.
DO $$
BEGIN
    CREATE ROLE memferry_service NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;
GRANT memferry_service TO CURRENT_USER;
GRANT USAGE ON SCHEMA memferry_service TO memferry_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    memferry_service.memories, memferry_service.exports, memferry_service.export_payloads,
    memferry_service.webhooks, memferry_service.deliveries
    TO memferry_service;
GRANT SELECT ON memferry_service.token_holders, memferry_service.keys TO memferry_service;
GRANT SELECT, UPDATE ON memferry_service.export_queue, memferry_service.delivery_queue
    TO memferry_service;
