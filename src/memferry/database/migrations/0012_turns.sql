-- Whose turn it is: when a worker last claimed an export of each tenant. A tenant without a row has never been served.
--
-- A worker of the version before notes nothing: what it claims counts as work, but not as a turn.
CREATE TABLE memferry.export_turns (
    tenant_id uuid PRIMARY KEY REFERENCES memferry.tenants (id) ON DELETE CASCADE,
    claimed_at timestamptz NOT NULL
);

CREATE VIEW memferry_service.export_turns AS
SELECT tenant_id, claimed_at FROM memferry.export_turns;
GRANT SELECT, INSERT, UPDATE ON memferry_service.export_turns TO memferry_service;
