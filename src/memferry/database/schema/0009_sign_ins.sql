-- Sign-ins: what a browser holds in place of a token, and links that sign in once. The database keeps digests alone. A
-- sign-in is as good as its token: whoever looks it up looks the token up as well.

CREATE TABLE memferry.sign_ins (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    sha256 bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    token_id uuid NOT NULL,
    is_link boolean NOT NULL,
    created_at bigint NOT NULL DEFAULT memferry.now_ms(),
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, sha256),
    FOREIGN KEY (tenant_id, token_id) REFERENCES memferry.tokens (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX sign_ins_by_token ON memferry.sign_ins (tenant_id, token_id);
CREATE INDEX sign_ins_by_end ON memferry.sign_ins (expires_at);
