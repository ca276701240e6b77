-- A database of memferry 0.1.0 on PostgreSQL 15, with some rows in every table, as pg_dump wrote it. Loads into an empty
-- database of PostgreSQL 15 to 18. tests/database/test_upgrade.py brings it to the schema of today.

-- The role belongs to the cluster, and the search path to the role: pg_dump shows neither.
DO $$
BEGIN
    CREATE ROLE memferry_service NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;
GRANT memferry_service TO CURRENT_USER;
DO $$
BEGIN
    PERFORM set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''), 'memferry'), true);
    EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET search_path FROM CURRENT', current_database());
END
$$;

CREATE SCHEMA memferry;

CREATE SCHEMA memferry_service;

COMMENT ON SCHEMA memferry_service IS 'views.sql 7513d68b31774e9450cca539224ac745d59af0c660886e2e42abd895393b7b3f on PostgreSQL 15';

CREATE FUNCTION memferry.address() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('memferry.address'::text, true), ''::text);

CREATE FUNCTION memferry.caller() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('memferry.caller'::text, true), ''::text))::uuid;

CREATE FUNCTION memferry.namespaces() RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (convert_from(decode(NULLIF(current_setting('memferry.namespaces'::text, true), ''::text), 'hex'::text), 'UTF8'::name))::text[];

CREATE FUNCTION memferry.now_ms() RETURNS bigint
    LANGUAGE sql PARALLEL SAFE
    RETURN (floor((EXTRACT(epoch FROM clock_timestamp()) * (1000)::numeric)))::bigint;

CREATE FUNCTION memferry.remove_tenant_rows(tenant uuid, most bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
DECLARE
    held regclass;
    removed bigint;
BEGIN
    FOR held IN
        SELECT attrelid::regclass FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'memferry'::regnamespace AND relkind IN ('r', 'p')
            AND attname = 'tenant_id' AND NOT attisdropped
        ORDER BY NOT EXISTS (
            SELECT FROM pg_constraint
            WHERE conrelid = attrelid AND contype = 'f' AND confrelid <> 'memferry.tenants'::regclass
        ), attrelid
    LOOP
        EXECUTE format(
            'DELETE FROM %1$s WHERE tenant_id = $1'
            ' AND ctid = ANY (ARRAY(SELECT ctid FROM %1$s WHERE tenant_id = $1 LIMIT $2))', held)
        USING tenant, most;
        GET DIAGNOSTICS removed = ROW_COUNT;
        IF removed > 0 THEN
            RETURN removed;
        END IF;
    END LOOP;
    RETURN 0;
END
$_$;

CREATE FUNCTION memferry.words_of_long_text(content text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE STRICT
    AS $$
BEGIN
    RETURN to_tsvector('pg_catalog.simple', content);
EXCEPTION WHEN program_limit_exceeded THEN
    RETURN to_tsvector('pg_catalog.simple', left(content, 150000));
END
$$;

CREATE FUNCTION memferry.words(content text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT
    RETURN CASE WHEN (octet_length(content) <= 200000) THEN to_tsvector('simple'::regconfig, translate(content, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~'::text, '                                '::text)) ELSE memferry.words_of_long_text(translate(content, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~'::text, '                                '::text)) END;

CREATE FUNCTION memferry_service.any_word(content text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE STRICT
    RETURN (SELECT (string_agg(((''''::text || replace(replace(unnest.lexeme, '\'::text, '\\'::text), ''''::text, ''''''::text)) || ''''::text), ' | '::text))::tsquery AS string_agg FROM unnest(memferry.words(any_word.content)) unnest(lexeme, positions, weights));

CREATE FUNCTION memferry_service.as_json(value text) RETURNS json
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_json(value);

CREATE TABLE memferry.messages (
    tenant_id uuid DEFAULT (current_setting('memferry.tenant'::text))::uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    data json NOT NULL,
    bytes bigint NOT NULL
);

CREATE VIEW memferry_service.message_queue AS
 SELECT messages.tenant_id,
    messages.id,
    messages.bytes
   FROM memferry.messages;

CREATE FUNCTION memferry_service.is_room_for_messages() RETURNS boolean
    LANGUAGE sql STABLE
    RETURN (SELECT ((count(*) < COALESCE((NULLIF(current_setting('memferry.waiting_messages'::text, true), ''::text))::bigint, (10000)::bigint)) AND (COALESCE(sum(message_queue.bytes), (0)::numeric) < (COALESCE((NULLIF(current_setting('memferry.waiting_message_bytes'::text, true), ''::text))::bigint, (268435456)::bigint))::numeric)) FROM memferry_service.message_queue WHERE (message_queue.tenant_id = (current_setting('memferry.tenant'::text))::uuid));

CREATE TABLE memferry.audit (
    tenant_id uuid DEFAULT (current_setting('memferry.tenant'::text))::uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    noted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    event text NOT NULL,
    outcome text NOT NULL,
    token_id uuid DEFAULT memferry.caller(),
    address text DEFAULT memferry.address(),
    subject text,
    filters_sha256 bytea,
    row_count bigint,
    byte_count bigint,
    detail text,
    times integer DEFAULT 1 NOT NULL,
    CONSTRAINT audit_filters_sha256_check CHECK ((octet_length(filters_sha256) = 32))
);

CREATE VIEW memferry_service.audit AS
 SELECT audit.id,
    audit.noted_at,
    audit.event,
    audit.outcome,
    audit.token_id,
    audit.address,
    audit.subject,
    audit.filters_sha256,
    audit.row_count,
    audit.byte_count,
    audit.detail,
    audit.times
   FROM memferry.audit
  WHERE ((audit.tenant_id = (current_setting('memferry.tenant'::text))::uuid) AND (memferry.namespaces() IS NULL));

CREATE FUNCTION memferry_service.note(event text, outcome text, subject text DEFAULT NULL::text, filters json DEFAULT NULL::json, row_count bigint DEFAULT NULL::bigint, byte_count bigint DEFAULT NULL::bigint, detail text DEFAULT NULL::text, who uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE sql
    BEGIN ATOMIC
 INSERT INTO memferry_service.audit (event, outcome, subject, filters_sha256, row_count, byte_count, detail, token_id)
   VALUES (note.event, note.outcome, note.subject, sha256(convert_to((note.filters)::text, 'UTF8'::name)), note.row_count, note.byte_count, note.detail, COALESCE(note.who, memferry.caller()));
END;

CREATE FUNCTION memferry_service.now_ms() RETURNS bigint
    LANGUAGE sql PARALLEL SAFE
    RETURN memferry.now_ms();

CREATE TABLE memferry.deliveries (
    tenant_id uuid DEFAULT (current_setting('memferry.tenant'::text))::uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    webhook_id uuid NOT NULL,
    event text NOT NULL,
    created_at bigint DEFAULT memferry.now_ms() NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT now(),
    delivered_at bigint,
    last_status integer,
    last_error text,
    message_id uuid
);

CREATE TABLE memferry.webhooks (
    tenant_id uuid DEFAULT (current_setting('memferry.tenant'::text))::uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    url text NOT NULL,
    events text[] NOT NULL,
    description text,
    enabled boolean DEFAULT true NOT NULL,
    secret text NOT NULL,
    consecutive_failures integer DEFAULT 0 NOT NULL,
    last_success_at bigint,
    last_failure_at bigint,
    created_at bigint DEFAULT memferry.now_ms() NOT NULL,
    updated_at bigint DEFAULT memferry.now_ms() NOT NULL,
    dropped bigint DEFAULT 0 NOT NULL
);

CREATE VIEW memferry_service.deliveries AS
 SELECT deliveries.id,
    deliveries.webhook_id,
    deliveries.event,
    deliveries.message_id,
    deliveries.created_at,
    deliveries.attempt,
    deliveries.next_attempt_at,
    deliveries.delivered_at,
    deliveries.last_status,
    deliveries.last_error
   FROM memferry.deliveries
  WHERE ((deliveries.tenant_id = (current_setting('memferry.tenant'::text))::uuid) AND (memferry.namespaces() IS NULL));

CREATE VIEW memferry_service.messages AS
 SELECT messages.id,
    messages.data,
    messages.bytes
   FROM memferry.messages
  WHERE ((messages.tenant_id = (current_setting('memferry.tenant'::text))::uuid) AND (memferry.namespaces() IS NULL));

CREATE VIEW memferry_service.webhooks AS
 SELECT webhooks.id,
    webhooks.url,
    webhooks.events,
    webhooks.description,
    webhooks.enabled,
    webhooks.secret,
    webhooks.consecutive_failures,
    webhooks.last_success_at,
    webhooks.last_failure_at,
    webhooks.created_at,
    webhooks.updated_at,
    webhooks.dropped
   FROM memferry.webhooks
  WHERE (webhooks.tenant_id = (current_setting('memferry.tenant'::text))::uuid);

CREATE FUNCTION memferry_service.tell(event text, data json) RETURNS void
    LANGUAGE sql
    BEGIN ATOMIC
 WITH wanting AS (
          SELECT webhooks.id
            FROM memferry_service.webhooks
           WHERE (webhooks.enabled AND ((webhooks.events = '{}'::text[]) OR (tell.event = ANY (webhooks.events))))
          FOR KEY SHARE OF webhooks
         ), room AS (
          SELECT memferry_service.is_room_for_messages() AS is_left
            FROM wanting
          LIMIT 1
         ), message AS (
          INSERT INTO memferry_service.messages (id, data, bytes)  SELECT gen_random_uuid() AS gen_random_uuid,
                     tell.data AS data,
                     octet_length((tell.data)::text) AS octet_length
                    FROM room
                   WHERE room.is_left
           RETURNING messages.id
         ), told AS (
          INSERT INTO memferry_service.deliveries (webhook_id, event, message_id)  SELECT wanting.id,
                     tell.event AS event,
                     message.id
                    FROM wanting,
                     message
           RETURNING deliveries.id
         ), dropped AS (
          UPDATE memferry_service.webhooks webhook SET dropped = (webhook.dropped + 1)
            FROM wanting,
             room
           WHERE ((webhook.id = wanting.id) AND (NOT room.is_left))
         )
  SELECT pg_notify('memferry_deliveries'::text, ''::text) AS pg_notify
    FROM told
  LIMIT 1;
END;

CREATE FUNCTION memferry_service.text_bytes(content text, source_ref text, tags text[], metadata json) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ((((octet_length(content))::bigint + COALESCE(octet_length(source_ref), 0)) + octet_length(array_to_string(tags, ','::text))) + COALESCE(octet_length((metadata)::text), 0));

CREATE FUNCTION memferry_service.words(content text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT
    RETURN memferry.words(content);

CREATE TABLE memferry.export_buckets (
    tenant_id uuid DEFAULT (current_setting('memferry.tenant'::text))::uuid NOT NULL,
    full_at timestamp with time zone NOT NULL
);

CREATE TABLE memferry.export_payloads (
    tenant_id uuid DEFAULT (current_setting('memferry.tenant'::text))::uuid NOT NULL,
    export_id text NOT NULL,
    payload bytea NOT NULL
);
ALTER TABLE ONLY memferry.export_payloads ALTER COLUMN payload SET STORAGE EXTERNAL;

CREATE TABLE memferry.gone_tenants (
    id uuid NOT NULL,
    gone_at bigint DEFAULT memferry.now_ms() NOT NULL
);

CREATE TABLE memferry.idempotency_keys (
    tenant_id uuid DEFAULT (current_setting('memferry.tenant'::text))::uuid NOT NULL,
    key text NOT NULL,
    request_sha256 bytea NOT NULL,
    export_id text NOT NULL,
    created_at bigint DEFAULT memferry.now_ms() NOT NULL,
    CONSTRAINT idempotency_keys_request_sha256_check CHECK ((octet_length(request_sha256) = 32))
);

CREATE TABLE memferry.job_turns (
    tenant_id uuid NOT NULL,
    claimed_at timestamp with time zone NOT NULL
);

CREATE TABLE memferry.jobs (
    tenant_id uuid DEFAULT (current_setting('memferry.tenant'::text))::uuid NOT NULL,
    id text NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    request json NOT NULL,
    needs text[] DEFAULT '{}'::text[] NOT NULL,
    token_id uuid DEFAULT memferry.caller(),
    namespaces text[] DEFAULT memferry.namespaces(),
    attempt integer DEFAULT 0 NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    leased_by text,
    leased_until timestamp with time zone,
    last_error text,
    row_count bigint NOT NULL,
    rows_done bigint DEFAULT 0 NOT NULL,
    bytes_done bigint DEFAULT 0 NOT NULL,
    sha256 bytea,
    object_key text,
    file_bytes bigint,
    file_sha256 bytea,
    error text,
    error_code text,
    retryable boolean,
    created_at bigint DEFAULT (floor((EXTRACT(epoch FROM now()) * (1000)::numeric)))::bigint NOT NULL,
    snapshot_at bigint,
    completed_at bigint,
    expires_at bigint,
    purged_at bigint,
    CONSTRAINT completed_export_has_digest CHECK (((type <> 'export'::text) OR (status <> 'completed'::text) OR (sha256 IS NOT NULL))),
    CONSTRAINT encrypted_is_a_file CHECK ((((request ->> 'encrypt_to'::text) IS NULL) OR (status <> 'completed'::text) OR (object_key IS NOT NULL))),
    CONSTRAINT failed_has_error CHECK (((status = 'failed'::text) = (error IS NOT NULL))),
    CONSTRAINT finished_has_time CHECK (((status = ANY (ARRAY['pending'::text, 'running'::text])) = (completed_at IS NULL))),
    CONSTRAINT jobs_file_sha256_check CHECK ((octet_length(file_sha256) = 32)),
    CONSTRAINT jobs_id_check CHECK ((id ~ '^[0-9A-HJKMNP-TV-Z]{26}$'::text)),
    CONSTRAINT jobs_row_count_check CHECK ((row_count >= 0)),
    CONSTRAINT jobs_sha256_check CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT jobs_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'running'::text, 'completed'::text, 'failed'::text, 'cancelled'::text, 'expired'::text]))),
    CONSTRAINT jobs_type_check CHECK ((type ~ '^[a-z]+$'::text)),
    CONSTRAINT object_is_published CHECK (((object_key IS NULL) OR (status = 'completed'::text))),
    CONSTRAINT purged_is_expired CHECK (((purged_at IS NULL) OR (status = 'expired'::text))),
    CONSTRAINT running_has_lease CHECK (((status = 'running'::text) = ((leased_by IS NOT NULL) AND (leased_until IS NOT NULL))))
);

CREATE TABLE memferry.keys (
    name text NOT NULL,
    value bytea NOT NULL,
    CONSTRAINT keys_value_check CHECK ((octet_length(value) >= 32))
);

CREATE TABLE memferry.memories (
    tenant_id uuid DEFAULT (current_setting('memferry.tenant'::text))::uuid NOT NULL,
    id uuid NOT NULL,
    content text NOT NULL,
    namespace text NOT NULL,
    tags text[] NOT NULL,
    source text NOT NULL,
    source_ref text,
    metadata json,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    CONSTRAINT memories_content_check CHECK ((content <> ''::text)),
    CONSTRAINT memories_namespace_check CHECK ((namespace <> ''::text)),
    CONSTRAINT metadata_is_an_object CHECK ((json_typeof(metadata) = 'object'::text))
);

CREATE TABLE memferry.memory_usage (
    tenant_id uuid DEFAULT (current_setting('memferry.tenant'::text))::uuid NOT NULL,
    slot integer DEFAULT (pg_backend_pid() % 16) NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL
)
WITH (fillfactor='20');

CREATE TABLE memferry.tenants (
    id uuid NOT NULL,
    name text NOT NULL,
    created_at bigint DEFAULT memferry.now_ms() NOT NULL,
    erasures bigint DEFAULT 0 NOT NULL,
    leaving_at bigint
);

CREATE TABLE memferry.tokens (
    tenant_id uuid DEFAULT (current_setting('memferry.tenant'::text))::uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    sha256 bytea NOT NULL,
    created_at bigint DEFAULT memferry.now_ms() NOT NULL,
    revoked_at bigint,
    scopes text[] NOT NULL,
    namespaces text[],
    expires_at bigint,
    CONSTRAINT namespaces_are_named CHECK (((namespaces <> '{}'::text[]) AND (array_position(namespaces, NULL::text) IS NULL))),
    CONSTRAINT scopes_are_known CHECK (((scopes <> '{}'::text[]) AND (scopes <@ '{memories:read,memories:write,exports:read,exports:create,admin}'::text[]))),
    CONSTRAINT tokens_sha256_check CHECK ((octet_length(sha256) = 32))
);

CREATE TABLE memferry.workers (
    id text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    status text NOT NULL,
    reason text,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT workers_status_check CHECK ((status = ANY (ARRAY['working'::text, 'store_away'::text, 'other_store'::text])))
);

CREATE VIEW memferry_service.delivery_queue AS
 SELECT deliveries.tenant_id,
    deliveries.id,
    deliveries.webhook_id,
    deliveries.attempt,
    deliveries.next_attempt_at,
    deliveries.created_at,
    deliveries.message_id
   FROM memferry.deliveries;

CREATE VIEW memferry_service.export_buckets AS
 SELECT export_buckets.tenant_id,
    export_buckets.full_at
   FROM memferry.export_buckets
  WHERE (export_buckets.tenant_id = (current_setting('memferry.tenant'::text))::uuid);

CREATE VIEW memferry_service.jobs AS
 SELECT jobs.id,
    jobs.type,
    jobs.status,
    jobs.request,
    jobs.needs,
    jobs.token_id,
    jobs.namespaces,
    jobs.attempt,
    jobs.failures,
    jobs.leased_by,
    jobs.leased_until,
    jobs.last_error,
    jobs.row_count,
    jobs.rows_done,
    jobs.bytes_done,
    jobs.sha256,
    jobs.object_key,
    jobs.file_bytes,
    jobs.file_sha256,
    jobs.error,
    jobs.error_code,
    jobs.retryable,
    jobs.created_at,
    jobs.snapshot_at,
    jobs.completed_at,
    jobs.expires_at,
    jobs.purged_at
   FROM memferry.jobs
  WHERE ((jobs.tenant_id = (current_setting('memferry.tenant'::text))::uuid) AND ((( SELECT memferry.namespaces() AS namespaces) IS NULL) OR (jobs.namespaces <@ ( SELECT memferry.namespaces() AS namespaces))));

CREATE VIEW memferry_service.exports AS
 SELECT jobs.id,
    jobs.type,
    jobs.status,
    jobs.request,
    jobs.needs,
    jobs.token_id,
    jobs.namespaces,
    jobs.attempt,
    jobs.failures,
    jobs.leased_by,
    jobs.leased_until,
    jobs.row_count,
    jobs.rows_done,
    jobs.bytes_done,
    jobs.sha256,
    jobs.object_key,
    jobs.file_bytes,
    jobs.file_sha256,
    jobs.error,
    jobs.error_code,
    jobs.retryable,
    jobs.created_at,
    jobs.snapshot_at,
    jobs.completed_at,
    jobs.expires_at,
    jobs.purged_at
   FROM memferry_service.jobs
  WHERE (jobs.type = 'export'::text)
  WITH CASCADED CHECK OPTION;

CREATE VIEW memferry_service.export_payloads AS
 SELECT export_payloads.export_id,
    export_payloads.payload
   FROM memferry.export_payloads
  WHERE ((export_payloads.tenant_id = (current_setting('memferry.tenant'::text))::uuid) AND ((memferry.namespaces() IS NULL) OR (EXISTS ( SELECT
           FROM memferry_service.exports
          WHERE (exports.id = export_payloads.export_id)))));

CREATE VIEW memferry_service.idempotency_keys AS
 SELECT idempotency_keys.key,
    idempotency_keys.request_sha256,
    idempotency_keys.export_id,
    idempotency_keys.created_at
   FROM memferry.idempotency_keys
  WHERE (idempotency_keys.tenant_id = (current_setting('memferry.tenant'::text))::uuid);

CREATE VIEW memferry_service.idempotency_queue AS
 SELECT idempotency_keys.tenant_id,
    idempotency_keys.key,
    idempotency_keys.created_at
   FROM memferry.idempotency_keys
  WHERE (idempotency_keys.created_at < (memferry.now_ms() - 86400000));

CREATE VIEW memferry_service.job_queue AS
 SELECT jobs.tenant_id,
    jobs.id,
    jobs.type,
    jobs.status,
    jobs.needs,
    jobs.attempt,
    jobs.failures,
    jobs.leased_by,
    jobs.leased_until,
    jobs.created_at,
    jobs.object_key,
    jobs.expires_at
   FROM memferry.jobs;

CREATE VIEW memferry_service.job_turns AS
 SELECT job_turns.tenant_id,
    job_turns.claimed_at
   FROM memferry.job_turns;

CREATE VIEW memferry_service.keys AS
 SELECT keys.name,
    keys.value
   FROM memferry.keys;

CREATE VIEW memferry_service.memories AS
 SELECT memories.id,
    memories.content,
    memories.namespace,
    memories.tags,
    memories.source,
    memories.source_ref,
    memories.metadata,
    memories.created_at,
    memories.updated_at
   FROM memferry.memories
  WHERE ((memories.tenant_id = (current_setting('memferry.tenant'::text))::uuid) AND ((( SELECT
                CASE
                    WHEN (memferry.namespaces() IS NULL) THEN true
                    ELSE NULL::boolean
                END AS "case") IS NOT NULL) OR (memories.namespace = ANY (( SELECT memferry.namespaces() AS namespaces)::text[]))))
  WITH CASCADED CHECK OPTION;

CREATE VIEW memferry_service.memory_usage AS
 SELECT memory_usage.tenant_id,
    memory_usage.slot,
    memory_usage.rows,
    memory_usage.bytes
   FROM memferry.memory_usage
  WHERE (memory_usage.tenant_id = (current_setting('memferry.tenant'::text))::uuid);

CREATE VIEW memferry_service.payload_queue AS
 SELECT payload.tenant_id,
    payload.export_id
   FROM memferry.export_payloads payload
  WHERE (EXISTS ( SELECT
           FROM memferry.jobs job
          WHERE ((job.tenant_id = payload.tenant_id) AND (job.id = payload.export_id) AND ((job.status = 'expired'::text) OR ((job.status = 'completed'::text) AND (job.expires_at <= memferry.now_ms()))))));

CREATE VIEW memferry_service.tenant AS
 SELECT tenants.erasures
   FROM memferry.tenants
  WHERE ((tenants.id = (current_setting('memferry.tenant'::text))::uuid) AND (tenants.leaving_at IS NULL));

CREATE VIEW memferry_service.tenant_ids AS
 SELECT tenants.id
   FROM memferry.tenants
UNION ALL
 SELECT gone_tenants.id
   FROM memferry.gone_tenants;

CREATE VIEW memferry_service.token_grants AS
 SELECT tokens.sha256,
    tokens.tenant_id,
    tokens.id,
    tokens.scopes,
    (tokens.namespaces IS NOT NULL) AS limited,
    tokens.expires_at,
    tokens.revoked_at
   FROM memferry.tokens;

CREATE VIEW memferry_service.tokens AS
 SELECT tokens.id,
    tokens.name,
    tokens.prefix,
    tokens.sha256,
    tokens.scopes,
    tokens.namespaces,
    tokens.created_at,
    tokens.expires_at,
    tokens.revoked_at
   FROM memferry.tokens
  WHERE ((tokens.tenant_id = (current_setting('memferry.tenant'::text))::uuid) AND ((memferry.namespaces() IS NULL) OR (tokens.namespaces <@ memferry.namespaces())))
  WITH CASCADED CHECK OPTION;

CREATE VIEW memferry_service.workers AS
 SELECT workers.id,
    workers.host,
    workers.pid,
    workers.version,
    workers.status,
    workers.reason,
    workers.started_at,
    workers.seen_at
   FROM memferry.workers;

CREATE TABLE public.memferry_migrations (
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY memferry_service.exports ALTER COLUMN type SET DEFAULT 'export'::text;

INSERT INTO memferry.audit (tenant_id, id, noted_at, event, outcome, token_id, address, subject, filters_sha256, row_count, byte_count, detail, times) VALUES ('01a21d3c-d004-755a-a27b-34ac07c8ef6f', 'd982198e-d0be-4f10-b5c4-4af1ed51ab2a', '2026-11-27 13:40:54.487361+00', 'token.created', 'ok', NULL, NULL, '01a21d3c-d02e-7655-a88e-41f40833c7bd', NULL, NULL, NULL, 'memories:read memories:write exports:read exports:create admin', 1);
INSERT INTO memferry.audit (tenant_id, id, noted_at, event, outcome, token_id, address, subject, filters_sha256, row_count, byte_count, detail, times) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '358912c3-b2b3-4ad0-97e4-2fb7f5c904c9', '2026-11-27 13:41:05.809524+00', 'token.created', 'ok', NULL, NULL, '01a21d3c-fc89-71e5-a00c-4c6d6187a57a', NULL, NULL, NULL, 'memories:read memories:write exports:read exports:create', 1);
INSERT INTO memferry.audit (tenant_id, id, noted_at, event, outcome, token_id, address, subject, filters_sha256, row_count, byte_count, detail, times) VALUES ('01a21d3c-fd5c-719e-befb-e23ff7c9c538', 'df5436dd-fb73-45dc-94fa-0e02c104b9b3', '2026-11-27 13:41:06.105992+00', 'token.created', 'ok', NULL, NULL, '01a21d3c-fda4-7387-ade5-e2b6d13dd9e9', NULL, NULL, NULL, 'memories:read memories:write exports:read exports:create', 1);
INSERT INTO memferry.audit (tenant_id, id, noted_at, event, outcome, token_id, address, subject, filters_sha256, row_count, byte_count, detail, times) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', 'a65c8fcc-6fa8-4411-a806-39898f736281', '2026-11-27 13:41:07.738658+00', 'export.created', 'ok', '01a21d3c-fc89-71e5-a00c-4c6d6187a57a', '127.0.0.1', '01M8EKT0ZDREFEPW0BW7BTT2R8', '\x3fa7593b8f9723d7334347c40f77615e86de216008e16cb175654316fb524405', 3, NULL, 'ndjson', 1);
INSERT INTO memferry.audit (tenant_id, id, noted_at, event, outcome, token_id, address, subject, filters_sha256, row_count, byte_count, detail, times) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '5c98ec4b-32fe-4251-b036-bfb477bee7ca', '2026-11-27 13:41:07.739007+00', 'export.completed', 'ok', '01a21d3c-fc89-71e5-a00c-4c6d6187a57a', '127.0.0.1', '01M8EKT0ZDREFEPW0BW7BTT2R8', '\x3fa7593b8f9723d7334347c40f77615e86de216008e16cb175654316fb524405', 3, 645, 'ndjson', 1);
INSERT INTO memferry.audit (tenant_id, id, noted_at, event, outcome, token_id, address, subject, filters_sha256, row_count, byte_count, detail, times) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', 'b0486450-2d8e-47b7-8775-adf5ef71b271', '2026-11-27 13:41:08.110644+00', 'export.created', 'ok', '01a21d3c-fc89-71e5-a00c-4c6d6187a57a', '127.0.0.1', '01M8EKT1BYMQNYBRYCTENT9DN6', '\xaaca4a0ebf3eea69bd973ae4d4b4d4a2470f3af29a09c3de4c0224184ade39ec', 2, NULL, 'csv', 1);
INSERT INTO memferry.audit (tenant_id, id, noted_at, event, outcome, token_id, address, subject, filters_sha256, row_count, byte_count, detail, times) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', 'adfeb202-ba3f-49b0-8523-8ec4573daa71', '2026-11-27 13:41:08.266645+00', 'export.completed', 'ok', '01a21d3c-fc89-71e5-a00c-4c6d6187a57a', NULL, '01M8EKT1BYMQNYBRYCTENT9DN6', '\xaaca4a0ebf3eea69bd973ae4d4b4d4a2470f3af29a09c3de4c0224184ade39ec', 2, 295, 'csv', 1);
INSERT INTO memferry.audit (tenant_id, id, noted_at, event, outcome, token_id, address, subject, filters_sha256, row_count, byte_count, detail, times) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '06ea9042-af42-420d-a950-551a01a34a4f', '2026-11-27 13:41:08.618987+00', 'link.minted', 'ok', '01a21d3c-fc89-71e5-a00c-4c6d6187a57a', '127.0.0.1', '01M8EKT1BYMQNYBRYCTENT9DN6', NULL, NULL, NULL, NULL, 1);

INSERT INTO memferry.deliveries (tenant_id, id, webhook_id, event, created_at, attempt, next_attempt_at, delivered_at, last_status, last_error, message_id) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '9594b264-83fe-469c-b6cc-68339037bfa7', 'a61d73cc-e0d1-45d4-928d-a6cf8477f3bc', 'export.completed', 1795786868266, 1, '2026-11-27 13:41:19.091129+00', NULL, NULL, 'ConnectError', '5574f7e4-900d-4fdf-bcfd-8db96c879533');
INSERT INTO memferry.deliveries (tenant_id, id, webhook_id, event, created_at, attempt, next_attempt_at, delivered_at, last_status, last_error, message_id) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', 'f66ec8a1-6ff2-4d25-a12e-b31e467c915a', 'a61d73cc-e0d1-45d4-928d-a6cf8477f3bc', 'memory.saved', 1795786867308, 2, '2026-11-27 13:42:21.607076+00', NULL, NULL, 'ConnectError', '1c556259-9c5e-40df-b27e-461ab3e7e11e');
INSERT INTO memferry.deliveries (tenant_id, id, webhook_id, event, created_at, attempt, next_attempt_at, delivered_at, last_status, last_error, message_id) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '5e76f004-2002-4844-998e-1cf7e85416da', 'a61d73cc-e0d1-45d4-928d-a6cf8477f3bc', 'memory.saved', 1795786867382, 2, '2026-11-27 13:42:18.50892+00', NULL, NULL, 'ConnectError', '07ef9d1b-90bc-4d19-9a3b-7019bf610d9d');
INSERT INTO memferry.deliveries (tenant_id, id, webhook_id, event, created_at, attempt, next_attempt_at, delivered_at, last_status, last_error, message_id) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '3954fdc7-57e1-4ab1-8c41-e3f899bc6834', 'a61d73cc-e0d1-45d4-928d-a6cf8477f3bc', 'export.completed', 1795786867738, 2, '2026-11-27 13:42:18.50892+00', NULL, NULL, 'ConnectError', 'e061d1fd-680e-479f-988a-a39d3fb4fcf5');
INSERT INTO memferry.deliveries (tenant_id, id, webhook_id, event, created_at, attempt, next_attempt_at, delivered_at, last_status, last_error, message_id) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', 'c4bc8cb1-e321-4379-b276-00dcc756adb1', 'a61d73cc-e0d1-45d4-928d-a6cf8477f3bc', 'memory.saved', 1795786867131, 2, '2026-11-27 13:42:18.50892+00', NULL, NULL, 'ConnectError', '39400fb3-fbd8-406c-8506-ea7a2dcb3855');

INSERT INTO memferry.export_buckets (tenant_id, full_at) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '2026-11-27 13:41:09.538709+00');

INSERT INTO memferry.export_payloads (tenant_id, export_id, payload) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '01M8EKT0ZDREFEPW0BW7BTT2R8', '\x28b52ffd00408507007610321f6067ab03a8f0a97d18bd56682422a4048d8e22acbb44669f3a3f4f093a099e280028002900e78950b02849277f9fb2a754e0cf23847c44c6475b8cdc5a0da54d0c29a209b1c1aa56d3df1971454f84d8cbdf632f854fd987fd7bc3a551989f806fcf03bc33879d3f9f04cdc6e6bf37dc04d3c9ca07dd8e45464c0c19941a2c38d1fc3055b6da6a0c714cdfe716b8e7f6027f16e95d5ef1be737967273f01838536439ba194425c1b1671ccba1c522e2d5a7730a4d639e59c52952d002762405b3a38c25edd9b500f00001cb01cf0d8015404e801680740071601de0d380d7457a087d6cc0df0a9e226629e01');

INSERT INTO memferry.gone_tenants (id, gone_at) VALUES ('01a21d3c-fe35-7574-b342-4ed63680ebcd', 1795786875665);

INSERT INTO memferry.idempotency_keys (tenant_id, key, request_sha256, export_id, created_at) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', 'k1', '\xa60b52013e62a7eb306c32bd3dd264296ee687f33b5fc3fc44f59c899821000c', '01M8EKT0ZDREFEPW0BW7BTT2R8', 1795786867803);

INSERT INTO memferry.job_turns (tenant_id, claimed_at) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '2026-11-27 13:41:08.142901+00');

INSERT INTO memferry.jobs (tenant_id, id, type, status, request, needs, token_id, namespaces, attempt, failures, leased_by, leased_until, last_error, row_count, rows_done, bytes_done, sha256, object_key, file_bytes, file_sha256, error, error_code, retryable, created_at, snapshot_at, completed_at, expires_at, purged_at) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '01M8EKT0ZDREFEPW0BW7BTT2R8', 'export', 'completed', '{"format":"ndjson","filters":{"namespace":null,"tags":null,"metadata_filter":null,"created_after":null,"created_before":null}}', '{}', '01a21d3c-fc89-71e5-a00c-4c6d6187a57a', NULL, 0, 0, NULL, NULL, NULL, 3, 3, 645, '\x37f641ce5aaf958933dda714e0a480d79429dcf48dafba010b61a9665974575e', NULL, NULL, NULL, NULL, NULL, NULL, 1795786867576, 1795786867576, 1795786867737, 1796391667737, NULL);
INSERT INTO memferry.jobs (tenant_id, id, type, status, request, needs, token_id, namespaces, attempt, failures, leased_by, leased_until, last_error, row_count, rows_done, bytes_done, sha256, object_key, file_bytes, file_sha256, error, error_code, retryable, created_at, snapshot_at, completed_at, expires_at, purged_at) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '01M8EKT1BYMQNYBRYCTENT9DN6', 'export', 'completed', '{"format":"csv","compression":"zstd","csv_safe":true,"encrypt_to":"age1xt0vty6sa69q6p0acjhsuzc8amr6znkksxcn3mcwrvxjktxqayuqe8v5y0","filters":{"namespace":"kitchen","tags":null,"metadata_filter":null,"created_after":null,"created_before":null}}', '{export,"export compression zstd","export csv_safe","export encrypt_to","export filter namespace","export format csv"}', '01a21d3c-fc89-71e5-a00c-4c6d6187a57a', NULL, 1, 1, NULL, NULL, NULL, 2, 2, 295, '\x821a7e52083ae6b8458b0e7a7cc2b7f42cc838b80ce27d777d5ae596b9e0eb75', '01a21d3c-fc20-7108-9c0a-fdcdbe906734/01M8EKT1BYMQNYBRYCTENT9DN6/1', 505, '\x8c41b5326e22d83ff84a873d709176b40c823a198dd09673af95bb02f620f073', NULL, NULL, NULL, 1795786868092, 1795786868179, 1795786868265, 1796391668265, NULL);

INSERT INTO memferry.keys (name, value) VALUES ('database', '\x6237323939346539633234323434323539366366653838326266363537353663');
INSERT INTO memferry.keys (name, value) VALUES ('links', '\xe4e651a608667c04fdc6f0fa08cb4cc912cb5c1669f94aaf87d16861e42c5d94');
INSERT INTO memferry.keys (name, value) VALUES ('store', '\x3164386366316366623061623431393539303163303162636330396265356135');

INSERT INTO memferry.memories (tenant_id, id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '01a21d3d-0151-70a0-8669-d684d7f4dccf', 'memory 0', 'default', '{tea}', 'agent', 'ref 0', '{"n":0}', 1795786867117, 1795786867117);
INSERT INTO memferry.memories (tenant_id, id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '01a21d3d-022b-70f3-a48e-0aee6ecfd408', 'memory 1', 'kitchen', '{tea}', 'agent', 'ref 1', '{"n":1}', 1795786867299, 1795786867299);
INSERT INTO memferry.memories (tenant_id, id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '01a21d3d-02a2-749a-a092-961dd95abe95', 'memory 2', 'kitchen', '{tea}', 'agent', 'ref 2', '{"n":2}', 1795786867381, 1795786867381);

INSERT INTO memferry.memory_usage (tenant_id, slot, rows, bytes) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', 10, 3, 69);

INSERT INTO memferry.messages (tenant_id, id, data, bytes) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '39400fb3-fbd8-406c-8506-ea7a2dcb3855', '{"id":"01a21d3d-0151-70a0-8669-d684d7f4dccf","content":"memory 0","namespace":"default","tags":["tea"],"source":"agent","source_ref":"ref 0","metadata":{"n":0},"created_at":1795786867117,"updated_at":1795786867117}', 214);
INSERT INTO memferry.messages (tenant_id, id, data, bytes) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '1c556259-9c5e-40df-b27e-461ab3e7e11e', '{"id":"01a21d3d-022b-70f3-a48e-0aee6ecfd408","content":"memory 1","namespace":"kitchen","tags":["tea"],"source":"agent","source_ref":"ref 1","metadata":{"n":1},"created_at":1795786867299,"updated_at":1795786867299}', 214);
INSERT INTO memferry.messages (tenant_id, id, data, bytes) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '07ef9d1b-90bc-4d19-9a3b-7019bf610d9d', '{"id":"01a21d3d-02a2-749a-a092-961dd95abe95","content":"memory 2","namespace":"kitchen","tags":["tea"],"source":"agent","source_ref":"ref 2","metadata":{"n":2},"created_at":1795786867381,"updated_at":1795786867381}', 214);
INSERT INTO memferry.messages (tenant_id, id, data, bytes) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', 'e061d1fd-680e-479f-988a-a39d3fb4fcf5', '{"id":"01M8EKT0ZDREFEPW0BW7BTT2R8","status":"completed","format":"ndjson","row_count":3,"error":null,"created_at":1795786867576,"completed_at":1795786867737}', 157);
INSERT INTO memferry.messages (tenant_id, id, data, bytes) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '5574f7e4-900d-4fdf-bcfd-8db96c879533', '{"id":"01M8EKT1BYMQNYBRYCTENT9DN6","status":"completed","format":"csv","row_count":2,"error":null,"created_at":1795786868092,"completed_at":1795786868265}', 154);

INSERT INTO memferry.tenants (id, name, created_at, erasures, leaving_at) VALUES ('01a21d3c-d004-755a-a27b-34ac07c8ef6f', 'default', 1795786854446, 0, NULL);
INSERT INTO memferry.tenants (id, name, created_at, erasures, leaving_at) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', 'alice', 1795786865787, 0, NULL);
INSERT INTO memferry.tenants (id, name, created_at, erasures, leaving_at) VALUES ('01a21d3c-fd5c-719e-befb-e23ff7c9c538', 'bob', 1795786866033, 0, NULL);

INSERT INTO memferry.tokens (tenant_id, id, name, prefix, sha256, created_at, revoked_at, scopes, namespaces, expires_at) VALUES ('01a21d3c-d004-755a-a27b-34ac07c8ef6f', '01a21d3c-d02e-7655-a88e-41f40833c7bd', 'first start', 'mnu_r2HYs4Dr', '\x69efa111443e2b3a068c195fb635a1c5223e2ec2b897ccdad987e4be16e103b2', 1795786854486, NULL, '{memories:read,memories:write,exports:read,exports:create,admin}', NULL, NULL);
INSERT INTO memferry.tokens (tenant_id, id, name, prefix, sha256, created_at, revoked_at, scopes, namespaces, expires_at) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', '01a21d3c-fc89-71e5-a00c-4c6d6187a57a', 'alice', 'mnu_QGZ8vFFs', '\x4840e18bf6fa4bb96e9ff0fe93c13af71af8a8ca0ae941bfcc1f79db07216f78', 1795786865809, NULL, '{memories:read,memories:write,exports:read,exports:create}', NULL, NULL);
INSERT INTO memferry.tokens (tenant_id, id, name, prefix, sha256, created_at, revoked_at, scopes, namespaces, expires_at) VALUES ('01a21d3c-fd5c-719e-befb-e23ff7c9c538', '01a21d3c-fda4-7387-ade5-e2b6d13dd9e9', 'bob', 'mnu_iwvNN2oQ', '\x3f9c7f2ff46d7510620211fe03762bdca20228ecaf97f8e92efb30d20edf6566', 1795786866105, NULL, '{memories:read,memories:write,exports:read,exports:create}', NULL, NULL);

INSERT INTO memferry.webhooks (tenant_id, id, url, events, description, enabled, secret, consecutive_failures, last_success_at, last_failure_at, created_at, updated_at, dropped) VALUES ('01a21d3c-fc20-7108-9c0a-fdcdbe906734', 'a61d73cc-e0d1-45d4-928d-a6cf8477f3bc', 'http://127.0.0.1:9/hook', '{}', NULL, true, 'secret of a test', 6, NULL, 1795786877481, 1795786866900, 1795786866900, 0);

INSERT INTO memferry.workers (id, host, pid, version, status, reason, started_at, seen_at) VALUES ('host/1/22bba980', 'host', 1, '0.1.0', 'working', NULL, '2026-11-27 13:41:00.227419+00', '2026-11-27 13:41:15.273151+00');

INSERT INTO public.memferry_migrations (name, applied_at) VALUES ('0001', '2026-11-27 13:40:52.953902+00');

ALTER TABLE ONLY memferry.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY memferry.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY memferry.export_buckets
    ADD CONSTRAINT export_buckets_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY memferry.export_payloads
    ADD CONSTRAINT export_payloads_pkey PRIMARY KEY (tenant_id, export_id);

ALTER TABLE ONLY memferry.gone_tenants
    ADD CONSTRAINT gone_tenants_pkey PRIMARY KEY (id);

ALTER TABLE ONLY memferry.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (tenant_id, key);

ALTER TABLE ONLY memferry.job_turns
    ADD CONSTRAINT job_turns_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY memferry.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY memferry.keys
    ADD CONSTRAINT keys_pkey PRIMARY KEY (name);

ALTER TABLE ONLY memferry.memories
    ADD CONSTRAINT memories_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY memferry.memory_usage
    ADD CONSTRAINT memory_usage_pkey PRIMARY KEY (tenant_id, slot);

ALTER TABLE ONLY memferry.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY memferry.tenants
    ADD CONSTRAINT tenants_name_key UNIQUE (name);

ALTER TABLE ONLY memferry.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (id);

ALTER TABLE ONLY memferry.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY memferry.tokens
    ADD CONSTRAINT tokens_sha256_key UNIQUE (sha256);

ALTER TABLE ONLY memferry.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY memferry.workers
    ADD CONSTRAINT workers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.memferry_migrations
    ADD CONSTRAINT memferry_migrations_pkey PRIMARY KEY (name);

CREATE INDEX audit_by_event ON memferry.audit USING btree (tenant_id, event, noted_at, id);

CREATE INDEX audit_by_time ON memferry.audit USING btree (tenant_id, noted_at, id);

CREATE INDEX deliveries_by_message ON memferry.deliveries USING btree (tenant_id, message_id) WHERE (message_id IS NOT NULL);

CREATE INDEX deliveries_by_time ON memferry.deliveries USING btree (created_at);

CREATE INDEX deliveries_by_webhook ON memferry.deliveries USING btree (tenant_id, webhook_id);

CREATE INDEX deliveries_due ON memferry.deliveries USING btree (next_attempt_at) WHERE (next_attempt_at IS NOT NULL);

CREATE INDEX idempotency_keys_by_export ON memferry.idempotency_keys USING btree (tenant_id, export_id);

CREATE INDEX idempotency_keys_by_time ON memferry.idempotency_keys USING btree (created_at);

CREATE INDEX jobs_by_time ON memferry.jobs USING btree (tenant_id, type, created_at DESC, id DESC);

CREATE INDEX jobs_expiring ON memferry.jobs USING btree (expires_at) WHERE (status = 'completed'::text);

CREATE INDEX jobs_stored ON memferry.jobs USING btree (tenant_id, type) INCLUDE (file_bytes, bytes_done, expires_at) WHERE (status = 'completed'::text);

CREATE INDEX jobs_unfinished ON memferry.jobs USING btree (status, tenant_id, created_at, id) WHERE (status = ANY (ARRAY['pending'::text, 'running'::text]));

CREATE INDEX memories_by_metadata ON memferry.memories USING gin (((metadata)::jsonb) jsonb_path_ops);
ALTER INDEX memferry.memories_by_metadata ALTER COLUMN 1 SET STATISTICS 0;

CREATE INDEX memories_by_namespace ON memferry.memories USING btree (tenant_id, namespace, created_at, id);

CREATE INDEX memories_by_source_ref ON memferry.memories USING hash (source_ref);

CREATE INDEX memories_by_tags ON memferry.memories USING gin (tags);

CREATE INDEX memories_by_time ON memferry.memories USING btree (tenant_id, created_at, id) INCLUDE (namespace);

CREATE INDEX memories_by_words ON memferry.memories USING gin (memferry.words(content));
ALTER INDEX memferry.memories_by_words ALTER COLUMN 1 SET STATISTICS 0;

ALTER TABLE ONLY memferry.audit
    ADD CONSTRAINT audit_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES memferry.tenants(id);

ALTER TABLE ONLY memferry.deliveries
    ADD CONSTRAINT deliveries_tenant_id_webhook_id_fkey FOREIGN KEY (tenant_id, webhook_id) REFERENCES memferry.webhooks(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY memferry.export_buckets
    ADD CONSTRAINT export_buckets_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES memferry.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY memferry.export_payloads
    ADD CONSTRAINT export_payloads_tenant_id_export_id_fkey FOREIGN KEY (tenant_id, export_id) REFERENCES memferry.jobs(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY memferry.idempotency_keys
    ADD CONSTRAINT idempotency_keys_tenant_id_export_id_fkey FOREIGN KEY (tenant_id, export_id) REFERENCES memferry.jobs(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY memferry.job_turns
    ADD CONSTRAINT job_turns_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES memferry.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY memferry.jobs
    ADD CONSTRAINT jobs_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES memferry.tenants(id);

ALTER TABLE ONLY memferry.tokens
    ADD CONSTRAINT tokens_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES memferry.tenants(id);

ALTER TABLE ONLY memferry.webhooks
    ADD CONSTRAINT webhooks_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES memferry.tenants(id);

GRANT USAGE ON SCHEMA memferry_service TO memferry_service;

GRANT SELECT,DELETE ON TABLE memferry_service.message_queue TO memferry_service;

GRANT SELECT ON TABLE memferry_service.audit TO memferry_service;

GRANT INSERT(event) ON TABLE memferry_service.audit TO memferry_service;

GRANT INSERT(outcome) ON TABLE memferry_service.audit TO memferry_service;

GRANT INSERT(token_id) ON TABLE memferry_service.audit TO memferry_service;

GRANT INSERT(subject) ON TABLE memferry_service.audit TO memferry_service;

GRANT INSERT(filters_sha256) ON TABLE memferry_service.audit TO memferry_service;

GRANT INSERT(row_count) ON TABLE memferry_service.audit TO memferry_service;

GRANT INSERT(byte_count) ON TABLE memferry_service.audit TO memferry_service;

GRANT INSERT(detail) ON TABLE memferry_service.audit TO memferry_service;

GRANT INSERT(times) ON TABLE memferry_service.audit TO memferry_service;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE memferry_service.deliveries TO memferry_service;

GRANT SELECT,DELETE ON TABLE memferry_service.messages TO memferry_service;

GRANT INSERT(id),UPDATE(id) ON TABLE memferry_service.messages TO memferry_service;

GRANT INSERT(data) ON TABLE memferry_service.messages TO memferry_service;

GRANT INSERT(bytes) ON TABLE memferry_service.messages TO memferry_service;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE memferry_service.webhooks TO memferry_service;

GRANT SELECT,DELETE,UPDATE ON TABLE memferry_service.delivery_queue TO memferry_service;

GRANT SELECT ON TABLE memferry_service.export_buckets TO memferry_service;

GRANT INSERT(full_at),UPDATE(full_at) ON TABLE memferry_service.export_buckets TO memferry_service;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE memferry_service.jobs TO memferry_service;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE memferry_service.exports TO memferry_service;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE memferry_service.export_payloads TO memferry_service;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE memferry_service.idempotency_keys TO memferry_service;

GRANT DELETE ON TABLE memferry_service.idempotency_queue TO memferry_service;

GRANT SELECT(tenant_id) ON TABLE memferry_service.idempotency_queue TO memferry_service;

GRANT SELECT(created_at) ON TABLE memferry_service.idempotency_queue TO memferry_service;

GRANT SELECT,UPDATE ON TABLE memferry_service.job_queue TO memferry_service;

GRANT SELECT,INSERT,UPDATE ON TABLE memferry_service.job_turns TO memferry_service;

GRANT SELECT ON TABLE memferry_service.keys TO memferry_service;

GRANT INSERT(name) ON TABLE memferry_service.keys TO memferry_service;

GRANT INSERT(value) ON TABLE memferry_service.keys TO memferry_service;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE memferry_service.memories TO memferry_service;

GRANT SELECT ON TABLE memferry_service.memory_usage TO memferry_service;

GRANT INSERT(rows),UPDATE(rows) ON TABLE memferry_service.memory_usage TO memferry_service;

GRANT INSERT(bytes),UPDATE(bytes) ON TABLE memferry_service.memory_usage TO memferry_service;

GRANT SELECT,DELETE ON TABLE memferry_service.payload_queue TO memferry_service;

GRANT SELECT ON TABLE memferry_service.tenant TO memferry_service;

GRANT UPDATE(erasures) ON TABLE memferry_service.tenant TO memferry_service;

GRANT SELECT ON TABLE memferry_service.tenant_ids TO memferry_service;

GRANT SELECT ON TABLE memferry_service.token_grants TO memferry_service;

GRANT SELECT(id),INSERT(id) ON TABLE memferry_service.tokens TO memferry_service;

GRANT SELECT(name),INSERT(name) ON TABLE memferry_service.tokens TO memferry_service;

GRANT SELECT(prefix),INSERT(prefix) ON TABLE memferry_service.tokens TO memferry_service;

GRANT INSERT(sha256) ON TABLE memferry_service.tokens TO memferry_service;

GRANT SELECT(scopes),INSERT(scopes) ON TABLE memferry_service.tokens TO memferry_service;

GRANT SELECT(namespaces),INSERT(namespaces) ON TABLE memferry_service.tokens TO memferry_service;

GRANT SELECT(created_at) ON TABLE memferry_service.tokens TO memferry_service;

GRANT SELECT(expires_at),INSERT(expires_at) ON TABLE memferry_service.tokens TO memferry_service;

GRANT SELECT(revoked_at),UPDATE(revoked_at) ON TABLE memferry_service.tokens TO memferry_service;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE memferry_service.workers TO memferry_service;

GRANT SELECT ON TABLE public.memferry_migrations TO memferry_service;
