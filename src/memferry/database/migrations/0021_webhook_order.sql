-- A webhook is locked before anything is written for it: one that is deleted meanwhile is waited for, and gets nothing.
CREATE OR REPLACE FUNCTION memferry_service.tell(event text, data json) RETURNS void LANGUAGE sql VOLATILE
BEGIN ATOMIC
    WITH wanting AS (
        SELECT webhooks.id FROM memferry_service.webhooks
        WHERE webhooks.enabled AND (webhooks.events = '{}' OR tell.event = ANY (webhooks.events))
        FOR KEY SHARE
    ), told AS (
        INSERT INTO memferry_service.deliveries (webhook_id, event, data)
        SELECT wanting.id, tell.event, tell.data FROM wanting
        RETURNING id
    )
    SELECT pg_notify('memferry_deliveries', '') FROM told LIMIT 1;
END;
