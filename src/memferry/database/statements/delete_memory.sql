-- Delete one memory; the webhooks that want to know get it a last time.
WITH deleted AS (DELETE FROM memories WHERE id = $1 RETURNING *)
SELECT row_to_json(deleted)::text, tell('memory.deleted', row_to_json(deleted)),
    note('memory.deleted', 'ok', id::text)
FROM deleted
