-- The audit: who did what, when and from where. The service may add and read entries, never change or remove them.
--
-- No content: subjects are ids and routes, details are words of our own, filters are there as a digest. An entry is
-- written in the transaction of what it tells of, where there is one.

-- Where a request came from; NULL for a worker.
CREATE FUNCTION memferry_service.address() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('memferry.address', true), '');

CREATE TABLE memferry.audit (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    event text NOT NULL,
    outcome text NOT NULL,
    -- The token that asked; NULL for a link, and for the operator.
    token_id uuid DEFAULT memferry_service.caller(),
    address text DEFAULT memferry_service.address(),
    subject text,
    filters_sha256 bytea CHECK (octet_length(filters_sha256) = 32),
    row_count bigint,
    byte_count bigint,
    detail text,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX audit_by_time ON memferry.audit (tenant_id, noted_at, id);
CREATE INDEX audit_by_event ON memferry.audit (tenant_id, event, noted_at, id);

-- It tells of every namespace.
CREATE VIEW memferry_service.audit AS
SELECT id, noted_at, event, outcome, token_id, address, subject, filters_sha256, row_count, byte_count, detail
FROM memferry.audit WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND memferry_service.namespaces() IS NULL;

-- Note an event in the caller's transaction. `who` is for a worker, which acts for the token of an export.
CREATE FUNCTION memferry_service.note(
    event text, outcome text, subject text DEFAULT NULL, filters json DEFAULT NULL,
    row_count bigint DEFAULT NULL, byte_count bigint DEFAULT NULL, detail text DEFAULT NULL,
    who uuid DEFAULT NULL
) RETURNS void LANGUAGE sql VOLATILE
BEGIN ATOMIC
    INSERT INTO memferry_service.audit
        (event, outcome, subject, filters_sha256, row_count, byte_count, detail, token_id)
    VALUES (note.event, note.outcome, note.subject, sha256(convert_to(note.filters::text, 'UTF8')),
        note.row_count, note.byte_count, note.detail, coalesce(note.who, memferry_service.caller()));
END;

-- Neither the time nor the address: they are what the session says.
GRANT SELECT, INSERT (event, outcome, subject, filters_sha256, row_count, byte_count, detail, token_id)
    ON memferry_service.audit TO memferry_service;
