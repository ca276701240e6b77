-- Manifests of completed exports, and the chain that shows when one is missing.

-- The text of a manifest goes with the bytes of its export.
CREATE TABLE memferry.export_manifests (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    export_id text NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (tenant_id, export_id),
    FOREIGN KEY (tenant_id, export_id) REFERENCES memferry.jobs (tenant_id, id) ON DELETE CASCADE
);

-- The digests of all manifests of a tenant in their order. A line stays when its export goes: the manifest after it
-- names its digest.
CREATE TABLE memferry.manifest_chain (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid REFERENCES memferry.tenants (id),
    sequence bigint NOT NULL CHECK (sequence > 0),
    export_id text NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    PRIMARY KEY (tenant_id, sequence),
    CONSTRAINT one_line_per_export UNIQUE (tenant_id, export_id)
);

-- The files of an export that was split, in their order; NULL: it has one file or a payload.
ALTER TABLE memferry.jobs ADD COLUMN parts json;
