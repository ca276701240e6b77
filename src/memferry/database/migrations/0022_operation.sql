-- The operator's view of what runs: an identity of the database and of its object store, and the workers that are alive.

INSERT INTO memferry.keys (name, value)
VALUES ('database', convert_to(replace(gen_random_uuid()::text, '-', ''), 'UTF8'));
-- Whichever process starts first agrees with the store on a word; only the operator changes it.
GRANT INSERT (name, value) ON memferry_service.keys TO memferry_service;

CREATE TABLE memferry.workers (
    id text PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    status text NOT NULL CHECK (status IN ('working', 'store_away', 'other_store')),
    reason text,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE VIEW memferry_service.workers AS
SELECT id, host, pid, version, status, reason, started_at, seen_at FROM memferry.workers;
GRANT SELECT, INSERT, UPDATE, DELETE ON memferry_service.workers TO memferry_service;
