-- Imports: what a job of this type has to tell about what it read, and the uploads that are no job yet.

-- Counts, places and reasons of an import; never a word of a memory.
ALTER TABLE memferry.jobs ADD COLUMN report json;

-- Files that are on their way to the store: until the last byte has come there is no job they belong to. The row tells
-- the sweeper that somebody still writes; whoever dies stops renewing it.
CREATE TABLE memferry.import_uploads (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid
        REFERENCES memferry.tenants (id) ON DELETE CASCADE,
    -- That of the job to be.
    id text NOT NULL CHECK (id ~ '^[0-9A-HJKMNP-TV-Z]{26}$'),
    leased_until timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
