-- Erasure: exports that a deleted memory was taken back from, and tenants that leave with everything they have.
--
-- A process of the version before goes on working on this schema: every new column has a default or may be NULL.

ALTER TABLE memferry.tenants
    -- Deletions that reach exports, one at a time: each changes this row before it looks for exports, and whoever adds
    -- an export shares the row until that one can be seen. So no export is added behind a deletion's back, from a
    -- snapshot that still holds what is deleted.
    ADD COLUMN erasures bigint NOT NULL DEFAULT 0,
    -- Since when it is being deleted: from then on nothing is added to it.
    ADD COLUMN leaving_at bigint;

-- Ids of tenants that were deleted, and nothing else of them: a file that a worker finishes late is known by its key
-- to be nobody's any more. Without them it would count as that of another database, and stay.
CREATE TABLE memferry.gone_tenants (
    id uuid PRIMARY KEY,
    gone_at bigint NOT NULL DEFAULT memferry_service.now_ms()
);

ALTER TABLE memferry.exports
    ADD COLUMN purged_at bigint,
    ADD CONSTRAINT purged_is_expired CHECK (purged_at IS NULL OR status = 'expired');

-- What is noted late, of a tenant that is gone, is refused.
ALTER TABLE memferry.audit
    ADD CONSTRAINT audit_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES memferry.tenants (id);

-- The tenant of the session, unless it is leaving. Its row can be shared and locked here, and tells nothing.
CREATE VIEW memferry_service.tenant AS
SELECT erasures FROM memferry.tenants
WHERE id = current_setting('memferry.tenant')::uuid AND leaving_at IS NULL;
GRANT SELECT, UPDATE (erasures) ON memferry_service.tenant TO memferry_service;

CREATE OR REPLACE VIEW memferry_service.tenant_ids AS
SELECT id FROM memferry.tenants UNION ALL SELECT id FROM memferry.gone_tenants;

CREATE OR REPLACE VIEW memferry_service.exports AS
SELECT id, status, format, filters, row_count, rows_done, bytes_done, sha256, object_key, error,
    last_error, attempt, leased_by, leased_until, created_at, completed_at,
    failures, error_code, retryable, last_error_code, snapshot_at, expires_at,
    compression, file_bytes, file_sha256,
    token_id, namespaces, csv_safe, encrypt_to, purged_at
FROM memferry.exports WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND (memferry_service.namespaces() IS NULL OR namespaces <@ memferry_service.namespaces());

-- Remove up to `most` rows of a tenant; answers how many, and 0 when it has none left. As the owner.
--
-- The tables are read from the catalog, so that none can be forgotten. Those that refer to another table of a tenant
-- come first: what is referred to then has nothing that would go with it, and no statement grows large.
CREATE FUNCTION memferry.remove_tenant_rows(tenant uuid, most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
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
