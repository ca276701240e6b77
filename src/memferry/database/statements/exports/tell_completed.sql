-- Tell the webhooks of an export that ran in its request; once, since the row is changed in the same transaction.
WITH done AS (
    UPDATE exports SET untold = NULL WHERE id = $1 AND untold RETURNING *
), event AS (
    SELECT id, status, request ->> 'format' AS format, row_count, error, created_at, completed_at FROM done
)
SELECT tell('export.completed', row_to_json(event)) FROM event
