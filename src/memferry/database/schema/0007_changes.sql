-- The change log: each change and each deletion of a memory, with the state before it (docs/history.md).

-- The setting of a transaction that says on which way its changes come; none: the operator's own hand.
CREATE FUNCTION memferry.via() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('memferry.via', true), ''), 'operator');

ALTER TABLE memferry.memories
    -- First, since every read looks at it (0008_expiry).
    ADD COLUMN expires_at bigint,
    -- The transaction that saved or changed the row last: which snapshots see it tells what changed since one of them.
    ADD COLUMN changed_in xid8,
    -- When and by whose token it was saved; created_at may have been brought along. An id that an import brings back after
    -- its deletion is saved again, and its log begins anew.
    ADD COLUMN saved_at timestamptz,
    ADD COLUMN saved_by uuid,
    -- How many changes it has had, and one.
    ADD COLUMN version integer NOT NULL DEFAULT 1;
-- Defaults in a second step: the rows that are there keep null, and are not written again.
ALTER TABLE memferry.memories
    ALTER COLUMN changed_in SET DEFAULT pg_current_xact_id(),
    ALTER COLUMN saved_at SET DEFAULT now(),
    ALTER COLUMN saved_by SET DEFAULT memferry.caller();

CREATE TABLE memferry.changes (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    memory_id uuid NOT NULL,
    -- When the memory was saved, by which the log tells its lives apart; for ever ago: before there was a log.
    saved_at timestamptz NOT NULL,
    -- Of the memory, as this change left it; a new memory is version 1, and has no entry.
    version integer NOT NULL CHECK (version > 1),
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    changed_at bigint NOT NULL DEFAULT memferry.now_ms(),
    -- Since when the entry is here; an import brings entries of older changes.
    stored_at bigint NOT NULL DEFAULT memferry.now_ms(),
    kind text NOT NULL CHECK (kind IN ('update', 'content_edit', 'restore', 'delete')),
    via text NOT NULL DEFAULT memferry.via(),
    token_id uuid DEFAULT memferry.caller(),
    -- Digests of the namespaces before and after: who may see the entry, also when no name is left.
    namespaces bytea[] NOT NULL,
    -- In characters.
    prev_content_len integer NOT NULL,
    -- The state before the change as JSON text, until the memory is deleted.
    former text,
    -- Of a deleted memory: when and by whose token it was saved, as its history shows it.
    begun_at bigint,
    saved_by uuid,
    PRIMARY KEY (tenant_id, memory_id, saved_at, version),
    CONSTRAINT deleted_has_no_former CHECK (kind <> 'delete' OR former IS NULL)
);
CREATE INDEX changes_by_time ON memferry.changes (stored_at);

-- Names the namespace of a tenant without its words.
CREATE FUNCTION memferry.digest_namespace(tenant_id uuid, name text) RETURNS bytea
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN sha256(uuid_send(tenant_id) || convert_to(name, 'UTF8'));

-- When a memory was saved. A save reads the clock just after its transaction has begun, and that is the time it shows.
CREATE FUNCTION memferry.find_save_time(created_at bigint, saved_at timestamptz) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
    SELECT CASE WHEN created_at - begun BETWEEN 0 AND 1000 THEN created_at ELSE coalesce(begun, created_at) END
    FROM (SELECT floor(extract(epoch FROM saved_at) * 1000)::bigint AS begun) AS transaction
);

-- Each update moves the row to its transaction; one that changes a value is a version. No statement says so itself.
CREATE FUNCTION memferry.number_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_in := pg_current_xact_id();
    NEW.version := OLD.version;
    IF (NEW.content, NEW.namespace, NEW.tags, NEW.source, NEW.source_ref, NEW.metadata::text, NEW.created_at,
            NEW.expires_at)
        IS DISTINCT FROM (OLD.content, OLD.namespace, OLD.tags, OLD.source, OLD.source_ref, OLD.metadata::text,
            OLD.created_at, OLD.expires_at)
    THEN
        NEW.version := OLD.version + 1;
    END IF;
    RETURN NEW;
END
$$;

-- The triggers that write the log run once per statement, with the rights of the owner: nobody else writes their entries.
-- PostgreSQL plans their statements once per session, for whatever number of rows comes first. So each names the kind of
-- join that is never slow: here a hash of rows that lie in memory, in the others a look-up by key.
CREATE FUNCTION memferry.log_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET enable_nestloop = off AS $$
BEGIN
    INSERT INTO memferry.changes (tenant_id, memory_id, saved_at, version, kind, namespaces, prev_content_len, former)
    SELECT before.tenant_id, before.id, coalesce(before.saved_at, '-infinity'), after.version,
        CASE WHEN memferry.via() = 'restore' THEN 'restore'
            WHEN after.content <> before.content THEN 'content_edit' ELSE 'update' END,
        ARRAY[memferry.digest_namespace(before.tenant_id, before.namespace),
            memferry.digest_namespace(after.tenant_id, after.namespace)],
        length(before.content),
        CASE WHEN before.expires_at IS NULL THEN (
            SELECT row_to_json(state) FROM (
                SELECT before.version, before.content, before.namespace, before.tags, before.source,
                    before.source_ref, before.metadata, before.created_at, before.updated_at
            ) AS state
        ) ELSE (
            SELECT row_to_json(state) FROM (
                SELECT before.version, before.content, before.namespace, before.tags, before.source,
                    before.source_ref, before.metadata, before.created_at, before.updated_at, before.expires_at
            ) AS state
        ) END::text
    FROM old_memories AS before
    JOIN new_memories AS after ON after.tenant_id = before.tenant_id AND after.id = before.id
    WHERE after.version > before.version;
    RETURN NULL;
END
$$;

-- Of each memory the newest entries stay, within both limits of the session; at least one, however large.
CREATE FUNCTION memferry.forget_versions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    most_versions bigint := nullif(current_setting('memferry.history_versions', true), '')::bigint;
    most_bytes bigint := nullif(current_setting('memferry.history_bytes', true), '')::bigint;
BEGIN
    DELETE FROM memferry.changes AS change
    USING new_memories AS changed
    CROSS JOIN LATERAL (
        SELECT max(version) AS version
        FROM (
            SELECT version, row_number() OVER newest AS place, sum(octet_length(former)) OVER newest AS bytes
            FROM memferry.changes WHERE tenant_id = changed.tenant_id AND memory_id = changed.id
                AND saved_at = coalesce(changed.saved_at, '-infinity')
            WINDOW newest AS (ORDER BY version DESC)
        ) AS entry
        WHERE place > most_versions OR (place > 1 AND bytes > most_bytes)
    ) AS surplus
    WHERE change.tenant_id = changed.tenant_id AND change.memory_id = changed.id
        AND change.saved_at = coalesce(changed.saved_at, '-infinity') AND change.version <= surplus.version;
    RETURN NULL;
END
$$;

-- A deleted memory leaves that it was, and when and by whom it was changed; no word of it. What a tenant had that is
-- being deleted leaves nothing.
CREATE FUNCTION memferry.log_deletions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
BEGIN
    UPDATE memferry.changes AS change SET former = NULL
    FROM old_memories AS gone
    WHERE change.tenant_id = gone.tenant_id AND change.memory_id = gone.id AND change.former IS NOT NULL;
    INSERT INTO memferry.changes (
        tenant_id, memory_id, saved_at, version, kind, namespaces, prev_content_len, begun_at, saved_by)
    SELECT gone.tenant_id, gone.id, coalesce(gone.saved_at, '-infinity'), gone.version + 1, 'delete',
        ARRAY[memferry.digest_namespace(gone.tenant_id, gone.namespace)], length(gone.content),
        memferry.find_save_time(gone.created_at, gone.saved_at), gone.saved_by
    FROM old_memories AS gone
    WHERE EXISTS (SELECT FROM memferry.tenants WHERE tenants.id = gone.tenant_id AND tenants.leaving_at IS NULL);
    RETURN NULL;
END
$$;

-- Triggers call them; that asks for no right.
REVOKE EXECUTE ON FUNCTION memferry.log_changes(), memferry.forget_versions(), memferry.log_deletions() FROM PUBLIC;

CREATE TRIGGER number_change BEFORE UPDATE ON memferry.memories
    FOR EACH ROW EXECUTE FUNCTION memferry.number_change();
-- Triggers of one event run in the order of their names.
CREATE TRIGGER change_1_log AFTER UPDATE ON memferry.memories
    REFERENCING OLD TABLE AS old_memories NEW TABLE AS new_memories
    FOR EACH STATEMENT EXECUTE FUNCTION memferry.log_changes();
CREATE TRIGGER change_2_forget AFTER UPDATE ON memferry.memories
    REFERENCING NEW TABLE AS new_memories
    FOR EACH STATEMENT EXECUTE FUNCTION memferry.forget_versions();
CREATE TRIGGER deletion_log AFTER DELETE ON memferry.memories
    REFERENCING OLD TABLE AS old_memories
    FOR EACH STATEMENT EXECUTE FUNCTION memferry.log_deletions();
