-- Projects: namespaces with a description. A namespace of memories that nobody has described gets its row when projects
-- are listed for the first time.

CREATE TABLE memferry.projects (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid REFERENCES memferry.tenants (id),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- The namespace.
    name text NOT NULL CHECK (name <> ''),
    description text,
    -- The JSON text that was sent, as in memories.
    metadata json NOT NULL DEFAULT '{}' CONSTRAINT metadata_is_an_object CHECK (json_typeof(metadata) = 'object'),
    archived_at bigint,
    created_at bigint NOT NULL DEFAULT memferry.now_ms(),
    updated_at bigint NOT NULL DEFAULT memferry.now_ms(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT projects_by_name UNIQUE (tenant_id, name)
);
