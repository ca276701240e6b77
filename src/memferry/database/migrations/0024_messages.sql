-- What webhooks are to be told is kept once, however many there are, and there is a limit to how much waits of a tenant.

CREATE TABLE memferry.messages (
    tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    data json NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE memferry.deliveries ADD COLUMN message_id uuid;
INSERT INTO memferry.messages (tenant_id, id, data, bytes)
SELECT tenant_id, id, data, octet_length(data::text) FROM memferry.deliveries WHERE next_attempt_at IS NOT NULL;
UPDATE memferry.deliveries SET message_id = id WHERE next_attempt_at IS NOT NULL;
CREATE INDEX deliveries_by_message ON memferry.deliveries (tenant_id, message_id) WHERE message_id IS NOT NULL;
-- What could not be told since too much waited.
ALTER TABLE memferry.webhooks ADD COLUMN dropped bigint NOT NULL DEFAULT 0;

-- A message holds memories of every namespace.
CREATE VIEW memferry_service.messages AS
SELECT id, data, bytes FROM memferry.messages
WHERE tenant_id = current_setting('memferry.tenant')::uuid AND memferry_service.namespaces() IS NULL;
GRANT SELECT, INSERT (id, data, bytes), DELETE ON memferry_service.messages TO memferry_service;
GRANT UPDATE (id) ON memferry_service.messages TO memferry_service; -- to lock a row
CREATE VIEW memferry_service.message_queue AS SELECT tenant_id, id, bytes FROM memferry.messages;
GRANT SELECT, DELETE ON memferry_service.message_queue TO memferry_service;

CREATE OR REPLACE VIEW memferry_service.delivery_queue AS
SELECT tenant_id, id, webhook_id, attempt, next_attempt_at, created_at, message_id FROM memferry.deliveries;
CREATE OR REPLACE VIEW memferry_service.webhooks AS
SELECT id, url, events, description, enabled, secret, consecutive_failures, last_success_at,
    last_failure_at, created_at, updated_at, dropped
FROM memferry.webhooks WHERE tenant_id = current_setting('memferry.tenant')::uuid;

-- Whether one more message may wait: the session says how many may, and how many bytes. Those of all namespaces count,
-- also where the token is limited to some.
CREATE FUNCTION memferry_service.is_room_for_messages() RETURNS boolean LANGUAGE sql STABLE
RETURN (
    SELECT count(*) < coalesce(nullif(current_setting('memferry.waiting_messages', true), '')::bigint, 10000)
        AND coalesce(sum(bytes), 0)
            < coalesce(nullif(current_setting('memferry.waiting_message_bytes', true), '')::bigint, 268435456)
    FROM memferry_service.message_queue WHERE tenant_id = current_setting('memferry.tenant')::uuid
);

-- The function before reads the view before.
CREATE OR REPLACE FUNCTION memferry_service.tell(event text, data json) RETURNS void LANGUAGE sql VOLATILE
BEGIN ATOMIC
END;
DROP VIEW memferry_service.deliveries;
CREATE VIEW memferry_service.deliveries AS
SELECT id, webhook_id, event, message_id, created_at, attempt, next_attempt_at, delivered_at, last_status, last_error
FROM memferry.deliveries WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND memferry_service.namespaces() IS NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON memferry_service.deliveries TO memferry_service;
ALTER TABLE memferry.deliveries DROP COLUMN data;

CREATE OR REPLACE FUNCTION memferry_service.tell(event text, data json) RETURNS void LANGUAGE sql VOLATILE
BEGIN ATOMIC
    WITH wanting AS (
        SELECT webhooks.id FROM memferry_service.webhooks
        WHERE webhooks.enabled AND (webhooks.events = '{}' OR tell.event = ANY (webhooks.events))
        FOR KEY SHARE
    ), room AS (
        SELECT memferry_service.is_room_for_messages() AS is_left FROM wanting LIMIT 1
    ), message AS (
        INSERT INTO memferry_service.messages (id, data, bytes)
        SELECT gen_random_uuid(), tell.data, octet_length(tell.data::text) FROM room WHERE room.is_left
        RETURNING id
    ), told AS (
        INSERT INTO memferry_service.deliveries (webhook_id, event, message_id)
        SELECT wanting.id, tell.event, message.id FROM wanting, message
        RETURNING id
    ), dropped AS (
        UPDATE memferry_service.webhooks AS webhook SET dropped = webhook.dropped + 1
        FROM wanting, room
        WHERE webhook.id = wanting.id AND NOT room.is_left
    )
    SELECT pg_notify('memferry_deliveries', '') FROM told LIMIT 1;
END;
