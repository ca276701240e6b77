-- All that the service role may touch: the views and functions of schema memferry_service, and the rights on them.
--
-- This file is applied whole, to a database without that schema: a program whose text of it differs drops the schema
-- and makes it anew, in the transaction of its migrations. Programs of two versions may run on it at once, so a change
-- only adds what an older program leaves alone.
--
-- Isolation: the service role has no right on schema memferry. The views carry the tenant predicate and run with the
-- owner's rights. They are no security barriers on purpose: `tags @>` and `metadata @>` are not leakproof, and behind a
-- barrier their GIN indexes would go unused (https://www.postgresql.org/docs/current/rules-privileges.html). The role
-- runs only our own statements. A session that has set no tenant gets an error, never another tenant's rows.
--
-- A token's limit to namespaces is a setting of the transaction beside the tenant. Where it is set, the views show
-- memories of these namespaces only, and exports made under the same limit or a part of it.

CREATE SCHEMA memferry_service;

-- What tables call as well, by the names that statements use.
CREATE FUNCTION memferry_service.now_ms() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN memferry.now_ms();

CREATE FUNCTION memferry_service.words(content text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT
RETURN memferry.words(content);

-- Any of the words of a text; NULL when it has none.
CREATE FUNCTION memferry_service.any_word(content text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT
RETURN (
    SELECT string_agg(
        '''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery
    FROM unnest(memferry.words(content))
);

-- The functions of searches (docs/search.md).

CREATE FUNCTION memferry_service.plain_text(content text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN memferry.plain_text(content);

-- The English stems of a plain text, stop words too.
CREATE FUNCTION memferry_service.stems(plain text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN to_tsvector('memferry.stems', plain);

CREATE FUNCTION memferry_service.stem(word text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN coalesce((ts_lexize('memferry.english_stems', word))[1], word);

CREATE FUNCTION memferry_service.is_stop_word(word text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN coalesce(ts_lexize('pg_catalog.english_stem', word) = '{}', false);

-- One word as a query, in which nothing is an operator.
CREATE FUNCTION memferry_service.quote_word(word text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN '''' || replace(replace(word, '\', '\\'), '''', '''''') || '''';

-- The query by which the index finds the tenant's rows that hold a word of the same stem, or a word that begins so. A
-- word without Latin letters is no English one, and its own stem.
CREATE FUNCTION memferry_service.key_query(word text, is_prefix boolean) RETURNS tsquery
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN (
    SELECT CASE WHEN is_prefix
        THEN (memferry_service.quote_word(mark || left(word, 500)) || ':*')::tsquery
        WHEN word !~ '[a-z]' THEN memferry_service.quote_word(mark || left(word, 500))::tsquery
        ELSE memferry_service.quote_word(mark || left(stem, 500))::tsquery
            || memferry_service.quote_word(mark || '~' || left(stem, 500))::tsquery
    END
    FROM (SELECT memferry.tenant_mark(current_setting('memferry.tenant')::uuid) AS mark,
        memferry_service.stem(word) AS stem) AS own
);

-- A query that finds the same rows. The planner has no statistics of words and takes half a percent of the rows of all
-- tenants for what any query finds, so that it would rather read all rows of a small tenant. With two conditions it
-- expects few rows, and enters the index of words: keys @@ query AND keys @@ twice(query).
CREATE FUNCTION memferry_service.twice(query tsquery) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN query && query;

-- How many bytes of text a memory has; the same for the same memory, however it is stored.
CREATE FUNCTION memferry_service.text_bytes(content text, source_ref text, tags text[], metadata json)
RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
RETURN octet_length(content)::bigint + coalesce(octet_length(source_ref), 0)
    + octet_length(array_to_string(tags, ',')) + coalesce(octet_length(metadata::text), 0);

-- A text as JSON. to_json looks up the type of its argument for each value, which is a tenth of the cost of an export;
-- JSON_SCALAR, of PostgreSQL 17 and later, knows it from the plan. The planner inlines the function.
DO $$ BEGIN
    EXECUTE 'CREATE FUNCTION memferry_service.as_json(value text) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE RETURN '
        || CASE WHEN current_setting('server_version_num')::integer >= 170000
            THEN 'JSON_SCALAR(value)' ELSE 'to_json(value)' END;
END $$;

-- Views of one tenant. INSERT fills a missing tenant_id by the default of the table.

-- The session's tenant, unless it is leaving. Its row can be shared and locked here.
CREATE VIEW memferry_service.tenant AS
SELECT id, name, erasures FROM memferry.tenants
WHERE id = current_setting('memferry.tenant')::uuid AND leaving_at IS NULL;

-- The digest can be stored, and not be read (see the rights below).
CREATE VIEW memferry_service.tokens AS
SELECT id, name, prefix, sha256, scopes, namespaces, created_at, expires_at, revoked_at
FROM memferry.tokens WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND (memferry.namespaces() IS NULL OR namespaces <@ memferry.namespaces())
WITH CASCADED CHECK OPTION;

CREATE VIEW memferry_service.sign_ins AS
SELECT sha256, token_id, is_link, created_at, expires_at
FROM memferry.sign_ins WHERE tenant_id = current_setting('memferry.tenant')::uuid;

-- All memories that are stored, also those that have expired. The subqueries run once per statement, not once per row. The
-- first is null or true, so that the planner takes it for true: its estimates, and with them its plans, are those
-- without a limit.
CREATE VIEW memferry_service.stored_memories AS
SELECT id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at, expires_at,
    version, changed_in, saved_by, coalesce(saved_at, '-infinity') AS saved_at,
    memferry.find_save_time(created_at, saved_at) AS begun_at,
    memferry.search_keys(tenant_id, id, content) AS keys
FROM memferry.memories WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND ((SELECT CASE WHEN memferry.namespaces() IS NULL THEN true END) IS NOT NULL
        OR namespace = ANY ((SELECT memferry.namespaces())::text[]))
WITH LOCAL CHECK OPTION;

-- Memories as they are shown. The condition takes an expiry in the past, which is rare, for null: the planner expects
-- hardly any row to go, with statistics and without.
CREATE VIEW memferry_service.memories AS
SELECT id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at, expires_at
FROM memferry_service.stored_memories
WHERE (CASE WHEN expires_at < (SELECT memferry.moment()) THEN NULL ELSE true END) IS NOT NULL;

-- The same with the keys of their words, for searches.
CREATE VIEW memferry_service.searched_memories AS
SELECT id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at, expires_at, keys
FROM memferry_service.stored_memories
WHERE (CASE WHEN expires_at < (SELECT memferry.moment()) THEN NULL ELSE true END) IS NOT NULL;

-- What has expired and is not deleted yet. The planner expects a third of all rows from one comparison with an unknown
-- value, of two a two-hundredth; and none where statistics know of no expiry.
CREATE VIEW memferry_service.expired_memories AS
SELECT id, namespace, tags, metadata, created_at, updated_at, expires_at
FROM memferry_service.stored_memories
WHERE expires_at IS NOT NULL AND expires_at >= 0 AND expires_at < (SELECT memferry.moment());

-- A memory as JSON, up to its last brace: the same bytes as row_to_json(), but the key of an expiry only where there is one.
CREATE FUNCTION memferry_service.show_fields(memory memferry_service.memories) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN concat(
    '{"id":"', (memory).id, '","content":', memferry_service.as_json((memory).content),
    ',"namespace":', memferry_service.as_json((memory).namespace), ',"tags":', array_to_json((memory).tags),
    ',"source":', memferry_service.as_json((memory).source),
    ',"source_ref":', coalesce(memferry_service.as_json((memory).source_ref), 'null'),
    ',"metadata":', coalesce((memory).metadata, 'null'),
    ',"created_at":', (memory).created_at, ',"updated_at":', (memory).updated_at,
    ',"expires_at":' || (memory).expires_at);

CREATE FUNCTION memferry_service.show_memory(memory memferry_service.memories) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN memferry_service.show_fields(memory) || '}';

CREATE FUNCTION memferry_service.show_hit(memory memferry_service.memories, score real) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN concat(memferry_service.show_fields(memory), ',"score":', score, '}');

-- The query of the sample of the tenant's rows, which is every 128th of them.
CREATE FUNCTION memferry_service.sample_query() RETURNS tsquery LANGUAGE sql STABLE PARALLEL SAFE
RETURN memferry_service.quote_word(memferry.tenant_mark(current_setting('memferry.tenant')::uuid) || '%')::tsquery;

-- How many of the tenant's rows a query of keys finds: few exactly, many as an estimate. 16 rows of the sample leave an
-- error of a quarter, which the logarithm in a weight makes small.
CREATE FUNCTION memferry_service.count_hits(query tsquery) RETURNS bigint LANGUAGE sql STABLE STRICT
RETURN (
    SELECT CASE WHEN sample.rows >= 16 THEN sample.rows * 128
        ELSE (
            SELECT count(*) FROM (
                SELECT FROM memferry_service.searched_memories
                WHERE keys @@ query AND keys @@ memferry_service.twice(query) LIMIT 4096
            ) AS hit)
    END
    FROM (
        SELECT count(*) AS rows FROM memferry_service.searched_memories
        WHERE keys @@ query AND keys @@ memferry_service.sample_query()
    ) AS sample
);

CREATE VIEW memferry_service.memory_usage AS
SELECT tenant_id, slot, rows, bytes FROM memferry.memory_usage
WHERE tenant_id = current_setting('memferry.tenant')::uuid;

-- The digests of the namespaces that the token is limited to; NULL: no limit.
CREATE FUNCTION memferry_service.namespace_digests() RETURNS bytea[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
    SELECT array_agg(memferry.digest_namespace(current_setting('memferry.tenant')::uuid, name))
    FROM unnest(memferry.namespaces()) AS name
);

-- Entries are written by triggers of the table of memories; an import adds those of a history that it brings. A limited token sees those whose namespaces it may see, the
-- one before the change and the one after it.
CREATE VIEW memferry_service.changes AS
SELECT memory_id, saved_at, version, changed_in, changed_at, kind, via, token_id, namespaces, prev_content_len, former,
    begun_at, saved_by
FROM memferry.changes WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND ((SELECT memferry.namespaces()) IS NULL
        OR namespaces <@ (SELECT memferry_service.namespace_digests()))
WITH LOCAL CHECK OPTION;

-- The digest by which an entry names a namespace.
CREATE FUNCTION memferry_service.digest_namespace(name text) RETURNS bytea LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN memferry.digest_namespace(current_setting('memferry.tenant')::uuid, name);

CREATE VIEW memferry_service.projects AS
SELECT tenant_id, id, name, description, metadata, archived_at, created_at, updated_at, retention_days
FROM memferry.projects WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND (memferry.namespaces() IS NULL OR name = ANY (memferry.namespaces()))
WITH CASCADED CHECK OPTION;

-- How long, in ms, memories of namespaces are kept that name no expiry.
CREATE VIEW memferry_service.retentions AS
SELECT name AS namespace, retention_days * 86400000::bigint AS ms FROM memferry_service.projects
WHERE retention_days IS NOT NULL;

-- The limit is read once per statement, and not for each job: the start of an export sums up all that are stored.
CREATE VIEW memferry_service.jobs AS
SELECT id, type, status, request, needs, token_id, namespaces, attempt, failures, leased_by, leased_until,
    last_error, row_count, rows_done, bytes_done, sha256, object_key, file_bytes, file_sha256,
    error, error_code, retryable, created_at, snapshot_at, completed_at, expires_at, purged_at, parts, report,
    untold, expired_rows
FROM memferry.jobs WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND ((SELECT memferry.namespaces()) IS NULL
        OR namespaces <@ (SELECT memferry.namespaces())::text[]);

CREATE VIEW memferry_service.exports AS
SELECT id, type, status, request, needs, token_id, namespaces, attempt, failures, leased_by, leased_until,
    row_count, rows_done, bytes_done, sha256, object_key, file_bytes, file_sha256,
    error, error_code, retryable, created_at, snapshot_at, completed_at, expires_at, purged_at, parts,
    untold, expired_rows
FROM memferry_service.jobs WHERE type = 'export'
WITH CASCADED CHECK OPTION;
ALTER VIEW memferry_service.exports ALTER COLUMN type SET DEFAULT 'export';

CREATE VIEW memferry_service.imports AS
SELECT id, type, status, request, needs, token_id, namespaces, attempt, failures, leased_by, leased_until,
    row_count, rows_done, bytes_done, file_bytes, file_sha256, error, error_code, retryable, created_at, completed_at,
    report, object_key
FROM memferry_service.jobs WHERE type = 'import'
WITH CASCADED CHECK OPTION;
ALTER VIEW memferry_service.imports ALTER COLUMN type SET DEFAULT 'import';

CREATE VIEW memferry_service.import_uploads AS
SELECT id, leased_until FROM memferry.import_uploads
WHERE tenant_id = current_setting('memferry.tenant')::uuid;

CREATE VIEW memferry_service.export_payloads AS
SELECT export_id, payload
FROM memferry.export_payloads WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND (memferry.namespaces() IS NULL OR EXISTS (
        SELECT FROM memferry_service.exports WHERE exports.id = export_payloads.export_id));

CREATE VIEW memferry_service.export_manifests AS
SELECT export_id, text
FROM memferry.export_manifests WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND (memferry.namespaces() IS NULL OR EXISTS (
        SELECT FROM memferry_service.exports WHERE exports.id = export_manifests.export_id));

-- A line tells of an export by its id and a digest, and every new line needs the last one, whoever asks for it.
CREATE VIEW memferry_service.manifest_chain AS
SELECT sequence, export_id, sha256 FROM memferry.manifest_chain
WHERE tenant_id = current_setting('memferry.tenant')::uuid;

CREATE VIEW memferry_service.idempotency_keys AS
SELECT key, request_sha256, export_id, created_at
FROM memferry.idempotency_keys WHERE tenant_id = current_setting('memferry.tenant')::uuid;

CREATE VIEW memferry_service.export_buckets AS
SELECT tenant_id, full_at FROM memferry.export_buckets
WHERE tenant_id = current_setting('memferry.tenant')::uuid;

CREATE VIEW memferry_service.webhooks AS
SELECT id, url, events, description, enabled, secret, consecutive_failures, last_success_at,
    last_failure_at, created_at, updated_at, dropped
FROM memferry.webhooks WHERE tenant_id = current_setting('memferry.tenant')::uuid;

-- A message, a delivery or an entry of the audit may be about any namespace: a limited token sees none.
CREATE VIEW memferry_service.messages AS
SELECT id, data, bytes FROM memferry.messages
WHERE tenant_id = current_setting('memferry.tenant')::uuid AND memferry.namespaces() IS NULL;

CREATE VIEW memferry_service.deliveries AS
SELECT id, webhook_id, event, message_id, created_at, attempt, next_attempt_at, delivered_at, last_status, last_error
FROM memferry.deliveries WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND memferry.namespaces() IS NULL;

CREATE VIEW memferry_service.audit AS
SELECT id, noted_at, event, outcome, token_id, address, subject, filters_sha256, row_count, byte_count, detail, times
FROM memferry.audit WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND memferry.namespaces() IS NULL;

-- Views across tenants, without a word of any tenant: names of namespaces are such words. A WHERE that is forgotten
-- here reaches no content.

CREATE VIEW memferry_service.tenant_ids AS
SELECT id FROM memferry.tenants UNION ALL SELECT id FROM memferry.gone_tenants;

-- Who holds a token, and what it may do.
CREATE VIEW memferry_service.token_grants AS
SELECT sha256, tenant_id, id, scopes, namespaces IS NOT NULL AS limited, expires_at, revoked_at
FROM memferry.tokens;

-- Which token a sign-in stands for; the sweeper removes it here.
CREATE VIEW memferry_service.sign_in_grants AS
SELECT sha256, tenant_id, token_id, is_link, expires_at FROM memferry.sign_ins;

CREATE VIEW memferry_service.job_queue AS
SELECT tenant_id, id, type, status, needs, attempt, failures, leased_by, leased_until, created_at, object_key, expires_at
FROM memferry.jobs;

CREATE VIEW memferry_service.upload_queue AS
SELECT tenant_id, id, leased_until FROM memferry.import_uploads;

CREATE VIEW memferry_service.job_turns AS
SELECT tenant_id, claimed_at FROM memferry.job_turns;

-- Only payloads that the sweeper may remove.
CREATE VIEW memferry_service.payload_queue AS
SELECT tenant_id, export_id FROM memferry.export_payloads AS payload
WHERE EXISTS (
    SELECT FROM memferry.jobs AS job
    WHERE job.tenant_id = payload.tenant_id AND job.id = payload.export_id
        AND (job.status = 'expired'
            OR (job.status = 'completed' AND job.expires_at <= memferry.now_ms())));

-- Only manifests that the sweeper may remove.
CREATE VIEW memferry_service.manifest_queue AS
SELECT tenant_id, export_id FROM memferry.export_manifests AS manifest
WHERE EXISTS (
    SELECT FROM memferry.jobs AS job
    WHERE job.tenant_id = manifest.tenant_id AND job.id = manifest.export_id
        AND (job.status = 'expired'
            OR (job.status = 'completed' AND job.expires_at <= memferry.now_ms())));

-- Exports that were completed and have no manifest yet: by a program that makes none, or whose process died.
CREATE VIEW memferry_service.unsealed_exports AS
SELECT tenant_id, id FROM memferry.jobs AS job
WHERE type = 'export' AND status = 'completed' AND expires_at > memferry.now_ms()
    AND NOT EXISTS (
        SELECT FROM memferry.manifest_chain AS line
        WHERE line.tenant_id = job.tenant_id AND line.export_id = job.id);

-- Completed exports of which the webhooks were not told yet.
CREATE VIEW memferry_service.untold_exports AS
SELECT tenant_id, id FROM memferry.jobs WHERE untold;

-- Only keys that the sweeper may remove; DELETE needs the key, and nobody reads it (see the rights below).
CREATE VIEW memferry_service.idempotency_queue AS
SELECT tenant_id, key, created_at FROM memferry.idempotency_keys
WHERE created_at < memferry.now_ms() - 86400000;

CREATE VIEW memferry_service.expiry_queue AS
SELECT tenant_id, id, expires_at FROM memferry.memories
WHERE expires_at IS NOT NULL AND expires_at >= 0 AND expires_at < (SELECT memferry.moment());

CREATE VIEW memferry_service.change_queue AS
SELECT tenant_id, memory_id, saved_at, version, stored_at FROM memferry.changes;

CREATE VIEW memferry_service.delivery_queue AS
SELECT tenant_id, id, webhook_id, attempt, next_attempt_at, created_at, message_id FROM memferry.deliveries;

CREATE VIEW memferry_service.message_queue AS
SELECT tenant_id, id, bytes FROM memferry.messages;

-- Views of what belongs to no tenant.

CREATE VIEW memferry_service.keys AS SELECT name, value FROM memferry.keys;

CREATE VIEW memferry_service.workers AS
SELECT id, host, pid, version, status, reason, started_at, seen_at FROM memferry.workers;

-- Functions that write in the caller's transaction.

-- Whether one more message may wait: the session says how many may, and how many bytes. Messages about all namespaces
-- count, also for a limited token.
CREATE FUNCTION memferry_service.is_room_for_messages() RETURNS boolean LANGUAGE sql STABLE
RETURN (
    SELECT count(*) < coalesce(nullif(current_setting('memferry.waiting_messages', true), '')::bigint, 10000)
        AND coalesce(sum(bytes), 0)
            < coalesce(nullif(current_setting('memferry.waiting_message_bytes', true), '')::bigint, 268435456)
    FROM memferry_service.message_queue WHERE tenant_id = current_setting('memferry.tenant')::uuid
);

-- Queue an event for the tenant's webhooks that want it, once for each of the data, of which there is one at least. A
-- webhook is locked before anything is written for it: a deletion of the webhook that runs at the same time is waited
-- for, and then nothing is written for it.
CREATE FUNCTION memferry_service.tell(event text, VARIADIC data json[]) RETURNS void LANGUAGE sql VOLATILE
BEGIN ATOMIC
    WITH wanting AS (
        SELECT webhooks.id FROM memferry_service.webhooks
        WHERE webhooks.enabled AND (webhooks.events = '{}' OR tell.event = ANY (webhooks.events))
        FOR KEY SHARE
    ), room AS (
        SELECT memferry_service.is_room_for_messages() AS is_left FROM wanting LIMIT 1
    ), message AS (
        INSERT INTO memferry_service.messages (id, data, bytes)
        SELECT gen_random_uuid(), item.data, octet_length(item.data::text)
        FROM room, unnest(tell.data) AS item (data) WHERE room.is_left
        RETURNING id
    ), told AS (
        INSERT INTO memferry_service.deliveries (webhook_id, event, message_id)
        SELECT wanting.id, tell.event, message.id FROM wanting, message
        RETURNING id
    ), dropped AS (
        UPDATE memferry_service.webhooks AS webhook SET dropped = webhook.dropped + cardinality(tell.data)
        FROM wanting, room
        WHERE webhook.id = wanting.id AND NOT room.is_left
    )
    SELECT pg_notify('memferry_deliveries', '') FROM told LIMIT 1;
END;

-- Write an entry of the audit. `who` is for a worker, which acts for the token of a job.
CREATE FUNCTION memferry_service.note(
    event text, outcome text, subject text DEFAULT NULL, filters json DEFAULT NULL,
    row_count bigint DEFAULT NULL, byte_count bigint DEFAULT NULL, detail text DEFAULT NULL,
    who uuid DEFAULT NULL
) RETURNS void LANGUAGE sql VOLATILE
BEGIN ATOMIC
    INSERT INTO memferry_service.audit
        (event, outcome, subject, filters_sha256, row_count, byte_count, detail, token_id)
    VALUES (note.event, note.outcome, note.subject, sha256(convert_to(note.filters::text, 'UTF8')),
        note.row_count, note.byte_count, note.detail, coalesce(note.who, memferry.caller()));
END;

-- Add a line to the tenant's chain and keep the text of its manifest. False if another transaction adds one at this
-- moment, or has added one that the caller's snapshot does not show: then nothing was done, and the transaction goes on.
-- The lock is that of take_turn in database/pool.py.
CREATE FUNCTION memferry_service.add_manifest(number bigint, export text, digest bytea, manifest text)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(
        hashtextextended('memferry manifests ' || current_setting('memferry.tenant'), 0)) THEN
        RETURN false;
    END IF;
    INSERT INTO memferry_service.manifest_chain (sequence, export_id, sha256) VALUES (number, export, digest);
    INSERT INTO memferry_service.export_manifests (export_id, text) VALUES (export, manifest);
    RETURN true;
EXCEPTION WHEN unique_violation THEN
    RETURN false;
END
$$;

-- Remove up to `most` rows of a tenant; answers how many, and 0 when it has none left. For the owner alone, in whose
-- schema it is.
--
-- The tables are read from the catalog, so that none can be forgotten. Those that refer to another table of a tenant
-- come first: no row of theirs is left to be deleted by a cascade, and no statement grows large.
CREATE OR REPLACE FUNCTION memferry.remove_tenant_rows(tenant uuid, most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
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
$$;

-- The rights of the service role.

GRANT USAGE ON SCHEMA memferry_service TO memferry_service;
-- Imports stage their rows in a temporary table; some operators take this right from everybody.
DO $$ BEGIN
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO memferry_service', current_database());
END $$;
-- Workers look whether the schema is theirs before they begin.
GRANT SELECT ON public.memferry_migrations TO memferry_service;

GRANT SELECT, UPDATE (erasures) ON memferry_service.tenant TO memferry_service;
GRANT SELECT (id, name, prefix, scopes, namespaces, created_at, expires_at, revoked_at),
    INSERT (id, name, prefix, sha256, scopes, namespaces, expires_at), UPDATE (revoked_at)
    ON memferry_service.tokens TO memferry_service;
GRANT SELECT, INSERT (sha256, token_id, is_link, expires_at), DELETE ON memferry_service.sign_ins TO memferry_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    memferry_service.memories, memferry_service.jobs, memferry_service.exports, memferry_service.imports,
    memferry_service.import_uploads, memferry_service.export_payloads,
    memferry_service.idempotency_keys, memferry_service.webhooks, memferry_service.deliveries
    TO memferry_service;
-- Imports save rows with their versions. UPDATE (id), to lock a row.
GRANT SELECT, UPDATE (id),
    INSERT (id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at, expires_at, version)
    ON memferry_service.stored_memories TO memferry_service;
-- By whom, on which way and in which transaction, the session does not say.
GRANT INSERT (memory_id, saved_at, version, changed_at, kind, namespaces, prev_content_len, former)
    ON memferry_service.changes TO memferry_service;
GRANT SELECT ON memferry_service.searched_memories, memferry_service.expired_memories, memferry_service.retentions,
    memferry_service.changes TO memferry_service;
GRANT SELECT, INSERT (id, name, description, metadata, created_at, updated_at, retention_days),
    UPDATE (name, description, metadata, archived_at, updated_at, retention_days), DELETE
    ON memferry_service.projects TO memferry_service;
GRANT SELECT, INSERT, DELETE ON memferry_service.export_manifests TO memferry_service;
-- Lines are added and read, never changed or removed.
GRANT SELECT, INSERT ON memferry_service.manifest_chain TO memferry_service;
GRANT SELECT, INSERT (rows, bytes), UPDATE (rows, bytes) ON memferry_service.memory_usage TO memferry_service;
GRANT SELECT, INSERT (full_at), UPDATE (full_at) ON memferry_service.export_buckets TO memferry_service;
-- UPDATE (id), to lock a row.
GRANT SELECT, INSERT (id, data, bytes), UPDATE (id), DELETE ON memferry_service.messages TO memferry_service;
-- Entries are added and read, never changed or removed. The session says neither their time nor their address.
GRANT SELECT, INSERT (event, outcome, subject, filters_sha256, row_count, byte_count, detail, token_id, times)
    ON memferry_service.audit TO memferry_service;

GRANT SELECT ON memferry_service.tenant_ids, memferry_service.token_grants TO memferry_service;
GRANT SELECT, DELETE ON memferry_service.sign_in_grants TO memferry_service;
GRANT SELECT, UPDATE ON memferry_service.job_queue, memferry_service.delivery_queue TO memferry_service;
GRANT SELECT ON memferry_service.expiry_queue TO memferry_service;
-- UPDATE (stored_at), to lock a row.
GRANT SELECT, UPDATE (stored_at), DELETE ON memferry_service.change_queue TO memferry_service;
GRANT SELECT, DELETE ON memferry_service.upload_queue TO memferry_service;
GRANT SELECT, INSERT, UPDATE ON memferry_service.job_turns TO memferry_service;
GRANT SELECT, DELETE ON memferry_service.payload_queue, memferry_service.manifest_queue, memferry_service.message_queue
    TO memferry_service;
GRANT SELECT ON memferry_service.unsealed_exports, memferry_service.untold_exports TO memferry_service;
GRANT SELECT (tenant_id, created_at), DELETE ON memferry_service.idempotency_queue TO memferry_service;
GRANT DELETE ON memferry_service.delivery_queue TO memferry_service;

GRANT SELECT, INSERT (name, value) ON memferry_service.keys TO memferry_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON memferry_service.workers TO memferry_service;
