-- Save one memory and, in the same transaction, note it for the webhooks that want to know.
WITH saved AS (
    INSERT INTO memories (id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at)
    SELECT $1, $2, $3, $4, $5, $6, $7::jsonb, now, now FROM now_ms() AS now
    RETURNING *
)
SELECT row_to_json(saved)::text, tell('memory.saved', row_to_json(saved)) FROM saved
