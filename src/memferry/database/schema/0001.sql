-- The tables of memferry 0.1.0, and the functions that their defaults and indexes call.
--
-- Two schemas. `memferry` is the owner's: it holds what lasts, and changes by numbered migrations alone.
-- `memferry_service` is what the service role may touch: views.sql makes it anew, so no table may refer to it.

CREATE SCHEMA memferry;

-- Roles belong to the whole cluster; another database of it may have made this one already.
DO $$
BEGIN
    CREATE ROLE memferry_service NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;
GRANT memferry_service TO CURRENT_USER;

-- The owner's sessions find the tables by their names alone, as psql's \dt shows them. The schema comes last, so that
-- it hides no table of the owner's own. Sessions of the service name their own search path when they connect, which wins
-- over this one (https://www.postgresql.org/docs/current/sql-alterrole.html).
DO $$
BEGIN
    PERFORM set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''), 'memferry'), true);
    EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET search_path FROM CURRENT', current_database());
END
$$;

-- Epoch milliseconds by the clock of the server.
CREATE FUNCTION memferry.now_ms() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint;

-- The token that a request came with; NULL for a worker.
CREATE FUNCTION memferry.caller() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('memferry.caller', true), '')::uuid;

-- The address that a request came from; NULL for a worker.
CREATE FUNCTION memferry.address() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('memferry.address', true), '');

-- The namespaces that the token is limited to; NULL: no limit. The setting is a text[] in hexadecimal: SET LOCAL takes
-- no parameters, and hexadecimal needs no quoting.
CREATE FUNCTION memferry.namespaces() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN convert_from(decode(nullif(current_setting('memferry.namespaces', true), ''), 'hex'), 'UTF8')::text[];

-- Content whose distinct words exceed PostgreSQL's limit of 1 MB for a tsvector is searched by its beginning.
CREATE FUNCTION memferry.words_of_long_text(content text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    RETURN to_tsvector('pg_catalog.simple', content);
EXCEPTION WHEN program_limit_exceeded THEN
    RETURN to_tsvector('pg_catalog.simple', left(content, 150000));
END
$$;

-- ASCII punctuation separates words, so that "node" finds "Node.js" and "4" finds "GPT-4": the parser alone would keep
-- host names, paths and signed numbers together.
CREATE FUNCTION memferry.words(content text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT
RETURN CASE
    WHEN octet_length(content) <= 200000 THEN to_tsvector(
        'pg_catalog.simple',
        translate(content, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                '))
    ELSE memferry.words_of_long_text(
        translate(content, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                '))
END;

CREATE TABLE memferry.tenants (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    created_at bigint NOT NULL DEFAULT memferry.now_ms(),
    -- Deletions that reach exports, one at a time: each changes this row before it looks for exports, and whoever adds
    -- an export shares the row until that export can be seen. So no export is added from a snapshot that still holds
    -- what is deleted.
    erasures bigint NOT NULL DEFAULT 0,
    -- Since when it is being deleted: from then on nothing is added to it.
    leaving_at bigint
);

-- Ids of deleted tenants, and nothing else of them: they tell the sweeper that a file which a worker finishes late has
-- no owner. Without them the file would count as one of another database, and stay.
CREATE TABLE memferry.gone_tenants (
    id uuid PRIMARY KEY,
    gone_at bigint NOT NULL DEFAULT memferry.now_ms()
);

CREATE TABLE memferry.tokens (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid REFERENCES memferry.tenants (id),
    id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    sha256 bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    created_at bigint NOT NULL DEFAULT memferry.now_ms(),
    revoked_at bigint,
    scopes text[] NOT NULL CONSTRAINT scopes_are_known CHECK (
        scopes <> '{}'
        AND scopes <@ '{memories:read,memories:write,exports:read,exports:create,admin}'),
    namespaces text[] CONSTRAINT namespaces_are_named CHECK (
        namespaces <> '{}' AND array_position(namespaces, NULL) IS NULL),
    expires_at bigint,
    PRIMARY KEY (tenant_id, id)
);

-- Keys that every process shares: the one that seals download links, and the identities of the database and its store.
CREATE TABLE memferry.keys (
    name text PRIMARY KEY,
    value bytea NOT NULL CHECK (octet_length(value) >= 32)
);
INSERT INTO memferry.keys (name, value)
VALUES ('database', convert_to(replace(gen_random_uuid()::text, '-', ''), 'UTF8'));

CREATE TABLE memferry.memories (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    id uuid NOT NULL,
    content text NOT NULL CHECK (content <> ''),
    namespace text NOT NULL CHECK (namespace <> ''),
    tags text[] NOT NULL,
    source text NOT NULL,
    source_ref text,
    -- The JSON text that was sent: JSONB loses the order of keys and the spelling of numbers, and writes 1e400 out in
    -- 401 digits. The index holds the JSONB form, which containment is asked of.
    metadata json CONSTRAINT metadata_is_an_object CHECK (json_typeof(metadata) = 'object'),
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
-- With the namespace in it, the index alone tells where a range of an export ends, also under a limit to namespaces.
CREATE INDEX memories_by_time ON memferry.memories (tenant_id, created_at, id) INCLUDE (namespace);
CREATE INDEX memories_by_namespace ON memferry.memories (tenant_id, namespace, created_at, id);
CREATE INDEX memories_by_tags ON memferry.memories USING gin (tags);
CREATE INDEX memories_by_metadata ON memferry.memories USING gin ((metadata::jsonb) jsonb_path_ops);
CREATE INDEX memories_by_words ON memferry.memories USING gin (memferry.words(content));
-- A hash index takes references of any length; a B-tree entry ends at 2,704 bytes.
CREATE INDEX memories_by_source_ref ON memferry.memories USING hash (source_ref);
-- ANALYZE would keep the words and the metadata of 30,000 rows side by side in memory: up to 30 GB each.
ALTER INDEX memferry.memories_by_words ALTER COLUMN 1 SET STATISTICS 0;
ALTER INDEX memferry.memories_by_metadata ALTER COLUMN 1 SET STATISTICS 0;

-- How many memories a tenant has, and their bytes: the sum of up to 16 rows, so that concurrent saves seldom wait for
-- each other. Each transaction adds to one of them, after it has locked its memories.
CREATE TABLE memferry.memory_usage (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    slot integer NOT NULL DEFAULT pg_backend_pid() % 16,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (tenant_id, slot)
) WITH (fillfactor = 20);

-- Work that outlives its request. The row is the job: request, state, lease, progress and result in one place.
CREATE TABLE memferry.jobs (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid REFERENCES memferry.tenants (id),
    id text NOT NULL CHECK (id ~ '^[0-9A-HJKMNP-TV-Z]{26}$'),
    -- Which part of the program does it, such as 'export'.
    type text NOT NULL CHECK (type ~ '^[a-z]+$'),
    status text NOT NULL CHECK (
        status IN ('pending', 'running', 'completed', 'failed', 'cancelled', 'expired')),
    -- As it was asked: an option of a type is a field in here, and no column.
    request json NOT NULL,
    -- What a worker must understand to do it, in words of the program.
    needs text[] NOT NULL DEFAULT '{}',
    token_id uuid DEFAULT memferry.caller(),
    -- The limit of that token; NULL: none.
    namespaces text[] DEFAULT memferry.namespaces(),
    -- The fencing token: each claim raises it.
    attempt integer NOT NULL DEFAULT 0,
    -- Attempts that count against the job; one that ended with an orderly stop does not.
    failures integer NOT NULL DEFAULT 0,
    leased_by text,
    leased_until timestamptz,
    last_error text,
    row_count bigint NOT NULL CHECK (row_count >= 0),
    rows_done bigint NOT NULL DEFAULT 0,
    bytes_done bigint NOT NULL DEFAULT 0,
    -- Digest of the whole content, before the file of it was packed.
    sha256 bytea CHECK (octet_length(sha256) = 32),
    object_key text,
    file_bytes bigint,
    file_sha256 bytea CHECK (octet_length(file_sha256) = 32),
    error text,
    error_code text,
    retryable boolean,
    -- When the request came: the start of its transaction.
    created_at bigint NOT NULL DEFAULT floor(extract(epoch FROM now()) * 1000)::bigint,
    snapshot_at bigint,
    completed_at bigint,
    expires_at bigint,
    purged_at bigint,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT finished_has_time CHECK (
        (status IN ('pending', 'running')) = (completed_at IS NULL)),
    CONSTRAINT completed_export_has_digest CHECK (
        type <> 'export' OR status <> 'completed' OR sha256 IS NOT NULL),
    CONSTRAINT failed_has_error CHECK ((status = 'failed') = (error IS NOT NULL)),
    CONSTRAINT running_has_lease CHECK (
        (status = 'running') = (leased_by IS NOT NULL AND leased_until IS NOT NULL)),
    CONSTRAINT object_is_published CHECK (object_key IS NULL OR status = 'completed'),
    -- A payload would lie in the database in clear text.
    CONSTRAINT encrypted_is_a_file CHECK (
        request ->> 'encrypt_to' IS NULL OR status <> 'completed' OR object_key IS NOT NULL),
    CONSTRAINT purged_is_expired CHECK (purged_at IS NULL OR status = 'expired')
);
CREATE INDEX jobs_by_time ON memferry.jobs (tenant_id, type, created_at DESC, id DESC);
-- The order in which claims look for work: what runs, then what waits, tenant by tenant and the oldest first.
CREATE INDEX jobs_unfinished ON memferry.jobs (status, tenant_id, created_at, id)
    WHERE status IN ('pending', 'running');
CREATE INDEX jobs_expiring ON memferry.jobs (expires_at) WHERE status = 'completed';
-- Asked before each export: the index alone tells how much is stored, and when the first of it expires.
CREATE INDEX jobs_stored ON memferry.jobs (tenant_id, type) INCLUDE (file_bytes, bytes_done, expires_at)
    WHERE status = 'completed';

CREATE TABLE memferry.export_payloads (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    export_id text NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (tenant_id, export_id),
    FOREIGN KEY (tenant_id, export_id) REFERENCES memferry.jobs (tenant_id, id) ON DELETE CASCADE
);
-- A payload is compressed already.
ALTER TABLE memferry.export_payloads ALTER COLUMN payload SET STORAGE EXTERNAL;

-- Made in the transaction that makes the export: the key of a request that died was never there.
CREATE TABLE memferry.idempotency_keys (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    key text NOT NULL,
    request_sha256 bytea NOT NULL CHECK (octet_length(request_sha256) = 32),
    export_id text NOT NULL,
    created_at bigint NOT NULL DEFAULT memferry.now_ms(),
    PRIMARY KEY (tenant_id, key),
    FOREIGN KEY (tenant_id, export_id) REFERENCES memferry.jobs (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX idempotency_keys_by_export ON memferry.idempotency_keys (tenant_id, export_id);
CREATE INDEX idempotency_keys_by_time ON memferry.idempotency_keys (created_at);

-- A token bucket per tenant for exports per hour: it is full again at `full_at`, and each export moves that by what the
-- bucket regains in the time of one. A tenant without a row has a full one.
CREATE TABLE memferry.export_buckets (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid PRIMARY KEY
        REFERENCES memferry.tenants (id) ON DELETE CASCADE,
    full_at timestamptz NOT NULL
);

-- When a worker last claimed a job of each tenant. A tenant without a row has never been served.
CREATE TABLE memferry.job_turns (
    tenant_id uuid PRIMARY KEY REFERENCES memferry.tenants (id) ON DELETE CASCADE,
    claimed_at timestamptz NOT NULL
);

CREATE TABLE memferry.webhooks (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid REFERENCES memferry.tenants (id),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    url text NOT NULL,
    events text[] NOT NULL,
    description text,
    enabled boolean NOT NULL DEFAULT true,
    secret text NOT NULL,
    consecutive_failures integer NOT NULL DEFAULT 0,
    last_success_at bigint,
    last_failure_at bigint,
    created_at bigint NOT NULL DEFAULT memferry.now_ms(),
    updated_at bigint NOT NULL DEFAULT memferry.now_ms(),
    -- Messages that were dropped because too many waited.
    dropped bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);

-- What webhooks are told, once for all of them.
CREATE TABLE memferry.messages (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    data json NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- Written in the transaction that changes the memory or the export; sent by a worker later.
CREATE TABLE memferry.deliveries (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    webhook_id uuid NOT NULL,
    event text NOT NULL,
    created_at bigint NOT NULL DEFAULT memferry.now_ms(),
    attempt integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz DEFAULT now(),
    delivered_at bigint,
    last_status integer,
    last_error text,
    message_id uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, webhook_id) REFERENCES memferry.webhooks (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX deliveries_due ON memferry.deliveries (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX deliveries_by_webhook ON memferry.deliveries (tenant_id, webhook_id);
CREATE INDEX deliveries_by_time ON memferry.deliveries (created_at);
CREATE INDEX deliveries_by_message ON memferry.deliveries (tenant_id, message_id) WHERE message_id IS NOT NULL;

-- Who did what, when and from where. No content: subjects are ids and routes, details are words of our own, filters are
-- there as a digest. An entry is written in the transaction of its event, where there is one.
CREATE TABLE memferry.audit (
    -- The reference refuses a late entry of a tenant that is gone.
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid REFERENCES memferry.tenants (id),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    event text NOT NULL,
    outcome text NOT NULL,
    -- The token that asked; NULL for a link, and for the operator.
    token_id uuid DEFAULT memferry.caller(),
    address text DEFAULT memferry.address(),
    subject text,
    filters_sha256 bytea CHECK (octet_length(filters_sha256) = 32),
    row_count bigint,
    byte_count bigint,
    detail text,
    -- Above a rate refusals, minted links and downloads are counted, and not noted one by one.
    times integer NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX audit_by_time ON memferry.audit (tenant_id, noted_at, id);
CREATE INDEX audit_by_event ON memferry.audit (tenant_id, event, noted_at, id);

-- The workers that are alive, for the operator.
CREATE TABLE memferry.workers (
    id text PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    status text NOT NULL CHECK (status IN ('working', 'store_away', 'other_store')),
    reason text,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
);
